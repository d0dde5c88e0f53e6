/** A value, and the one that comes after it. */
interface Link<State> {
  readonly state: State;
  readonly next: Promise<Link<State> | undefined>;
}

/** The present value and all that come after it, for as many readers as there are: what a reader has passed is kept by nobody. */
export class StateStream<State> implements AsyncIterable<State> {
  #last!: Link<State>;
  #follow: ((next?: Link<State>) => void) | undefined;

  constructor(first: State) {
    this.set(first);
  }

  get current(): State {
    return this.#last.state;
  }

  set(state: State): void {
    const follow = this.#follow;
    this.#last = {
      state,
      next: new Promise((resolve) => {
        this.#follow = resolve;
      }),
    };
    follow?.(this.#last);
  }

  end(): void {
    this.#follow?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<State, void, void> {
    for (let link: Link<State> | undefined = this.#last; link; link = await link.next) yield link.state;
  }
}
