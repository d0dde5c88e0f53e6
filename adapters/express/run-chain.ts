import type { IncomingMessage } from 'node:http';
import { isThenable, promiseOf } from '../../src/maybe-promise.js';
import type { ConnectMiddleware } from './connect-middleware.js';
import { HandshakeResponse } from './handshake-response.js';

type Run = (request: IncomingMessage, response: HandshakeResponse, next: (error?: unknown) => void) => unknown;

/** What Express takes for "go on elsewhere": the rest of the chain is passed over. */
const leaving: readonly unknown[] = ['route', 'router'];

/**
 * Runs a chain on the request of a handshake; resolves to the status with which middleware answered the request by itself, or to
 * `undefined` where it was let through.
 *
 * @param isWanted says whether somebody still waits: a middleware that goes on too late goes no further.
 * @throws what a middleware throws, rejects with or hands to `next`.
 */
export function runChain(
  chain: readonly ConnectMiddleware[],
  request: IncomingMessage,
  isWanted: () => boolean,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const finish = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      settle();
    };
    const fail = (error: unknown): void => finish(() => reject(error));
    const response = new HandshakeResponse(request, () => {
      // the status may be set after the method was looked up, but not after it was called
      finish(() => resolve(response.statusCode));
    });
    const go = (index: number): void => {
      if (isOver || !isWanted()) return;
      const middleware = chain[index] as Run | undefined;
      if (middleware === undefined) {
        finish(() => resolve(undefined));
        return;
      }
      let isCalled = false;
      const next = (error?: unknown): void => {
        if (isCalled) return; // stores call back twice
        isCalled = true;
        if (leaving.includes(error)) finish(() => resolve(undefined));
        else if (error) fail(error);
        else go(index + 1);
      };
      try {
        const returned = middleware(request, response, next);
        if (isThenable(returned)) promiseOf(returned).catch(fail);
      } catch (error) {
        fail(error);
      }
    };
    go(0);
  });
}
