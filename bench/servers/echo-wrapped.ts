// The same work with wrapped handlers.
import { answer, counted, serveWrapped } from './wrapped.js';

serveWrapped((message) => answer(message, counted(message)));
