// The same work with wrapped handlers, but the count is kept beside the session, which is read and never changed.
import { answer, countedBeside, serveWrapped } from './wrapped.js';

serveWrapped((message) => answer(message, countedBeside(message)));
