import type { Clock } from './contracts/clock.js';

/** The longest delay that Node's timers take; anything above fires at once. */
const maxDelayMs = 2_147_483_647;

/** The machine's own clock. Its timers do not keep the process alive, and longer ones than 2³¹ − 1 ms are waited for in parts. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(fn: () => void, ms: number): () => void {
    let timer: NodeJS.Timeout;
    if (ms <= maxDelayMs) {
      timer = setTimeout(fn, Math.ceil(ms));
      timer.unref();
      return () => clearTimeout(timer);
    }
    const end = performance.now() + ms;
    const wait = (): void => {
      const left = Math.max(0, end - performance.now());
      timer = left > maxDelayMs ? setTimeout(wait, maxDelayMs) : setTimeout(fn, Math.ceil(left));
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
});
