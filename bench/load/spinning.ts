import { performance } from 'node:perf_hooks';

/** How often something was done, in all and per second. */
export interface Counted {
  readonly count: number;
  readonly perSecond: number;
}

/**
 * Polls without ever sleeping while `run` is at work: a load that is woken up late measures the scheduler.
 */
export async function spinning<T>(run: () => Promise<T>): Promise<T> {
  let isDone = false;
  const spin = (): void => {
    if (!isDone) setImmediate(spin);
  };
  spin();
  try {
    return await run();
  } finally {
    isDone = true;
  }
}

/**
 * Lets `run` do something over and over for `ms` milliseconds: until `isOver`, and then what is begun is finished.
 *
 * @param run resolves with how often it was done.
 */
export async function countFor(ms: number, run: (isOver: () => boolean) => Promise<number>): Promise<Counted> {
  const start = performance.now();
  const count = await spinning(() => run(() => performance.now() - start >= ms));
  return { count, perSecond: (count * 1_000) / (performance.now() - start) };
}
