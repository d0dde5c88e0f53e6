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
