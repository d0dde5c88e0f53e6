// The same work with a wrapped handler that awaits what is settled already, and then sends.
import { answer, counted, serveWrapped } from './wrapped.js';

serveWrapped(async (message) => {
  await Promise.resolve();
  answer(message, counted(message));
});
