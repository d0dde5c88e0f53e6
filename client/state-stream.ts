/** A value, and the one that comes after it. */
interface Link<State> {
  readonly state: State;
  next?: Promise<Link<State> | undefined>;
  follow?: (next: Link<State> | undefined) => void;
}

/** The present value and all that come after it, for as many readers as there are: what a reader has passed is kept by nobody. */
export class StateStream<State> implements AsyncIterable<State> {
  #last: Link<State>;

  constructor(first: State) {
    this.#last = linkOf(first);
  }

  get current(): State {
    return this.#last.state;
  }

  set(state: State): void {
    const link = linkOf(state);
    this.#last.follow?.(link);
    this.#last = link;
  }

  end(): void {
    this.#last.follow?.(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<State, void, void> {
    for (let link: Link<State> | undefined = this.#last; link !== undefined; link = await link.next) yield link.state;
  }
}

function linkOf<State>(state: State): Link<State> {
  const link: Link<State> = { state };
  link.next = new Promise((resolve) => {
    link.follow = resolve;
  });
  return link;
}
