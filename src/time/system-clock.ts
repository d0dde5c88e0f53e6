import type { Clock } from '../contracts/clock.js';
import { outsideRequests } from '../outside-requests.js';

/** The longest delay that Node's timers take, in milliseconds; anything above fires at once. */
export const maxTimerMs = 2_147_483_647;

function setTimer(fn: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout;
  if (ms <= maxTimerMs) {
    timer = setTimeout(fn, Math.ceil(ms));
    timer.unref?.(); // that of a simulated browser, as tests have it, is a number
    return () => clearTimeout(timer);
  }
  const end = performance.now() + ms;
  const wait = (): void => {
    const left = Math.max(0, end - performance.now());
    timer = left > maxTimerMs ? setTimeout(wait, maxTimerMs) : setTimeout(fn, Math.ceil(left));
    timer.unref?.();
  };
  wait();
  return () => clearTimeout(timer);
}

/** The machine's own clock. Its timers do not keep the process alive, and longer ones than 2³¹ − 1 ms are waited for in parts. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (fn: () => void, ms: number) => outsideRequests(() => setTimer(fn, ms)),
});
