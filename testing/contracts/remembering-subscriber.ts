/** A subscriber that remembers what it is told, and waits for what is to come. */
export class RememberingSubscriber<Told> {
  /** All that it was told so far, in order. */
  readonly heard: Told[] = [];
  readonly #timeoutMs: number;
  readonly #onGap: () => void;
  readonly #looks = new Set<() => void>();
  #gaps = 0;

  /**
   * @param timeoutMs how long each wait lasts at most, in milliseconds.
   * @param onGap is called at once when it is told that something may be missing.
   */
  constructor(timeoutMs: number, onGap: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onGap = onGap;
  }

  /** How often it was told that something may be missing. */
  get gaps(): number {
    return this.#gaps;
  }

  hear(told: Told): void {
    this.heard.push(told);
    this.#look();
  }

  hearOfGap(): void {
    this.#gaps += 1;
    this.#look();
    this.#onGap();
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Resolves once `isTrue` holds; rejects, saying `what`, where it does not in time. */
  until(isTrue: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isTrue()) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(new Error(`${what} within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      this.#looks.add(look);
      look();
    });
  }
}
