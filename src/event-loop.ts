import * as timers from 'node:timers';

/**
 * The steps of the event loop, as they are when this module is loaded. They are not time: where a test fakes them along with its timers,
 * what waits for a step would wait for ever, in all later tests of the process too.
 */
export const { nextTick } = process;
export const { queueMicrotask } = globalThis;
export const { setImmediate } = timers;
