import type { SessionStore } from 'ws-with';
import { answer, counted, countedBeside, serveWrapped } from './wrapped.js';

/** The wrapped server with its users' sessions in `store`; the last argument of the process says whether messages change them. */
export function serveSessionsIn(store: SessionStore): void {
  const count = process.argv.at(-1) === 'changed' ? counted : countedBeside;
  serveWrapped((message) => answer(message, count(message)), { store, scope: 'user' });
}
