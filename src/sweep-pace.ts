/**
 * How often a store in memory, which has no timers, goes over all that it keeps to drop what is over: each addition pays for a few steps of
 * the next sweep.
 */
export class SweepPace {
  #additions = 0;

  added(): void {
    this.#additions += 1;
  }

  /**
   * Whether the additions since the last sweep pay for one over `size` entries, which is then taken to be made.
   *
   * @param stepsPerAddition with one, entries would come as fast as the next sweep comes near. @default 2
   */
  isDue(size: number, stepsPerAddition = 2): boolean {
    if (this.#additions * stepsPerAddition < size) return false;
    this.#additions = 0;
    return true;
  }
}
