import { setMaxListeners } from 'node:events';
import { foundOrMade } from './found-or-made.js';
import { whenDone } from './maybe-promise.js';
import type { Reporter } from './reporter.js';

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

/**
 * A controller whose signal takes any number of listeners, and whose listeners may throw: Node would give that to the process, which ends
 * by it. Who listens to a signal that is made of this one (`AbortSignal.any`) is not guarded.
 */
export function guardedController(reporter: Pick<Reporter, 'error'>): AbortController {
  const controller = new AbortController();
  const { signal } = controller;
  allowManyListeners(signal);
  const guards = new WeakMap<object, Listener>();
  const guardOf = (listener: unknown): unknown => {
    if (!isListener(listener)) return listener; // for Node to refuse
    return foundOrMade(guards, listener, () => (event: Event) => callSafely(listener, event, signal, reporter));
  };
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    const original = signal[name];
    const guarded = (...[type, listener, ...options]: unknown[]): void => {
      Reflect.apply(original, signal, [type, guardOf(listener), ...options]);
    };
    Object.defineProperty(signal, name, { value: guarded, configurable: true, writable: true });
  }
  guardOnAbort(signal);
  return controller;
}

/**
 * Each handler under way may listen: many are no leak. Only Node's own signals warn of them, and no others are taken, such as a simulated
 * browser's in a test.
 */
function allowManyListeners(signal: AbortSignal): void {
  try {
    setMaxListeners(0, signal);
  } catch {}
}

function isListener(listener: unknown): listener is Listener {
  return (typeof listener === 'object' && listener !== null) || typeof listener === 'function';
}

/** `signal.onabort` is a listener like the others. */
function guardOnAbort(signal: AbortSignal): void {
  let current: ((event: Event) => unknown) | null = null;
  const listener = (event: Event): unknown => current !== null && Reflect.apply(current, signal, [event]);
  Object.defineProperty(signal, 'onabort', {
    configurable: true,
    get: () => current,
    set(value: unknown) {
      current = typeof value === 'function' ? (value as typeof current) : null;
      signal.removeEventListener('abort', listener);
      if (current !== null) signal.addEventListener('abort', listener);
    },
  });
}

function callSafely(listener: Listener, event: Event, signal: AbortSignal, reporter: Pick<Reporter, 'error'>): void {
  const report = (error: unknown): void => reporter.error(error);
  try {
    const result = typeof listener === 'function' ? Reflect.apply(listener, signal, [event]) : listener.handleEvent(event);
    whenDone(result, () => undefined, report);
  } catch (error) {
    report(error);
  }
}
