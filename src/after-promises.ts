import { nextTick } from './event-loop.js';

const settled = Promise.resolve();

/**
 * A function that asks for `callback`: it is called in this turn of the event loop, after all promises that are settled, and those that
 * wait for no others. So it finds what really waits. It costs less than an immediate of its own.
 */
export function afterPromises(callback: () => void): () => unknown {
  const awaitTick: () => void = nextTick.bind(process, callback); // asked for by a promise, it comes when no other is left
  return settled.then.bind(settled, awaitTick);
}
