/** Who is told what comes of a message. */
export interface OutcomeOwner<Message> {
  /** The handler of `message`, or else the save after it, has succeeded, with `value`. */
  fulfilled(value: unknown, message: Message, isHandler: boolean): void;
  /** Either of them has failed. */
  rejected(error: unknown, message: Message): void;
}

/** Waits that are over, kept for later ones. */
const spares: OutcomeWait[] = [];
const maxSpares = 64;

/**
 * The wait for one promise. It is used again for the next, since closures that are made for each message cost more than what they do: V8
 * looks for the code of each when it is called first.
 */
class OutcomeWait {
  #owner: OutcomeOwner<unknown> | undefined;
  #message: unknown;
  #isHandler = false;

  begin(pending: Promise<unknown>, owner: OutcomeOwner<unknown>, message: unknown, isHandler: boolean): void {
    this.#owner = owner;
    this.#message = message;
    this.#isHandler = isHandler;
    pending.then(this.#fulfilled, this.#rejected);
  }

  readonly #fulfilled = (value: unknown): void => {
    const message = this.#message;
    const isHandler = this.#isHandler;
    this.#over().fulfilled(value, message, isHandler);
  };

  readonly #rejected = (error: unknown): void => {
    const message = this.#message;
    this.#over().rejected(error, message);
  };

  /** Who is to be told. */
  #over(): OutcomeOwner<unknown> {
    const owner = this.#owner as OutcomeOwner<unknown>;
    this.#owner = undefined;
    this.#message = undefined;
    if (spares.length < maxSpares) spares.push(this);
    return owner;
  }
}

/** Tells `owner` what `pending` comes to: what the handler of `message` returned, or else the save after it. */
export function awaitOutcome<Message>(pending: Promise<unknown>, owner: OutcomeOwner<Message>, message: Message, isHandler: boolean): void {
  const wait = spares.pop() ?? new OutcomeWait();
  wait.begin(pending, owner as OutcomeOwner<unknown>, message, isHandler);
}
