/** The time as a server sees it. A test gives one that it moves by hand (`TestClock` of `ws-with/testing`). */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds from some fixed point; never goes back, and does not jump when somebody sets the wall clock. Deadlines run on it. */
  monotonic(): number;
  /**
   * Calls `fn` once, `ms` milliseconds from now (any finite number ≥ 0, also past 2³¹ − 1). Must not keep the process alive.
   *
   * @returns a function that cancels the call; harmless after it.
   */
  setTimer(fn: () => void, ms: number): () => void;
}
