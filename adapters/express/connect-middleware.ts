import { kindOf } from '../../src/kind-of.js';

/**
 * Middleware of Connect or Express: `(request, response, next)`. Its request and response may have any type, so that middleware of Express,
 * Connect and passport fits.
 */
export type ConnectMiddleware = (request: never, response: never, next: (error?: unknown) => void) => unknown;

/**
 * A checked copy of a chain.
 *
 * @throws {TypeError} when it is empty, or something in it is no middleware.
 */
export function checkedChain(owner: string, given: ConnectMiddleware | readonly ConnectMiddleware[]): readonly ConnectMiddleware[] {
  const chain: readonly unknown[] = Array.isArray(given) ? Array.from(given as readonly unknown[]) : [given];
  if (chain.length === 0) throw new TypeError(`${owner}: middleware must be a function or a list of functions, got an empty list`);
  return chain.map((middleware) => checkedMiddleware(owner, middleware));
}

function checkedMiddleware(owner: string, middleware: unknown): ConnectMiddleware {
  if (typeof middleware !== 'function') {
    throw new TypeError(`${owner}: middleware must be a function or a list of functions, got ${kindOf(middleware)}`);
  }
  if (middleware.length > 3) {
    throw new TypeError(
      `${owner}: middleware must take (request, response, next), got a function of ${middleware.length} parameters, which Express takes for an ` +
        'error handler: every error of the chain means that nobody can tell, so leave it out',
    );
  }
  return middleware as ConnectMiddleware;
}
