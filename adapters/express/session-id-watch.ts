/** A request as Connect's middleware sees it. */
export type SessionRequest = object & { session?: unknown; sessionID?: unknown; sessionStore?: unknown };

/**
 * Tells where the `sessionID` of a request comes from. express-session sets it to what the cookie holds, once its signature is found to be
 * right, and once more where it makes a new session: that may have the id of a forged cookie, if ids can be guessed.
 */
export class SessionIdWatch {
  readonly #request: SessionRequest;
  readonly #isOurs: boolean;
  #value: unknown;
  #count = 0;

  /** Does nothing where an id is there already: somebody else ran the middleware before. */
  constructor(request: SessionRequest) {
    this.#request = request;
    this.#isOurs = !Object.hasOwn(request, 'sessionID');
    if (!this.#isOurs) return;
    Object.defineProperty(request, 'sessionID', {
      configurable: true,
      enumerable: true,
      get: () => this.#value,
      set: (value: unknown) => {
        this.#value = value;
        this.#count += 1;
      },
    });
  }

  /** Whether the id was made anew, be it one that the cookie holds. */
  get isGenerated(): boolean {
    return this.#count > 1;
  }

  /** Leaves the request as the middleware would have left it. */
  end(): void {
    if (!this.#isOurs) return;
    delete this.#request.sessionID;
    if (this.#count > 0) this.#request.sessionID = this.#value;
  }
}
