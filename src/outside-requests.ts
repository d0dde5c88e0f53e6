import { AsyncResource } from 'node:async_hooks';

/** What was current when the package was loaded, which is no request. */
const outside = new AsyncResource('ws-with');

/**
 * Runs `fn` as part of no request. Without that, what a request begins is part of it for ever: a timer that all channels share would show
 * the request of the first one to what it calls, in an AsyncLocalStorage of the application or as the span above its own, and keep it
 * alive.
 */
export function outsideRequests<T>(fn: () => T): T {
  return outside.runInAsyncScope(fn);
}
