/** Those who wait for something that is still to come. */
export class Waiting {
  readonly #looks = new Set<() => void>();
  readonly #timeoutMs: number;

  /** @param timeoutMs how long each wait lasts at most, in milliseconds. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Something has come. */
  wake(): void {
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
