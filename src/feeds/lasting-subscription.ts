import { ignore, ignorePromise } from '../maybe-promise.js';
import { outsideRequests } from '../outside-requests.js';
import { type TimeLimit, withDeadline } from '../time/deadline.js';

/** How soon a subscription that failed is tried again at first, and at the latest. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** One attempt to subscribe; what is told by it after it was given up is nobody's. */
export interface SubscriptionAttempt {
  readonly isGivenUp: boolean;
}

/** What is subscribed to, and who is told how that goes. */
export interface LastingSubscriptionOwner {
  /** How long subscribing may take, and ending it. */
  readonly timeLimit: TimeLimit;
  subscribe(attempt: SubscriptionAttempt): PromiseLike<AsyncDisposable> | AsyncDisposable;
  /** It stands; `isLate` where something may have been missed before. */
  began(isLate: boolean): void;
  /** It does not, and the next attempt comes in `retryMs`. */
  failed(cause: unknown, retryMs: number): void;
  /** It did not end in order. */
  notEnded(cause: unknown): void;
}

/** A subscription that is tried again until it stands. Afterwards it comes back by itself. */
export class LastingSubscription {
  readonly #owner: LastingSubscriptionOwner;
  #attempt = { isGivenUp: false };
  #active: AsyncDisposable | undefined;
  #cancelRetry: (() => void) | undefined;
  #retryMs = firstRetryMs;
  #isLate: boolean;
  /** Resolves once the first attempt has succeeded or failed. */
  readonly tried: Promise<void>;

  /** @param isLate whether something may have been missed already. */
  constructor(owner: LastingSubscriptionOwner, isLate: boolean) {
    this.#owner = owner;
    this.#isLate = isLate;
    this.tried = outsideRequests(() => this.#try());
  }

  async #try(): Promise<void> {
    const { timeLimit } = this.#owner;
    const attempt = { isGivenUp: false };
    this.#attempt = attempt;
    const onTimeout = (): Error => {
      attempt.isGivenUp = true;
      return new Error(`Nothing was subscribed to within ${timeLimit.ms} ms.`);
    };
    try {
      await withDeadline(() => this.#subscribe(attempt), { ...timeLimit, onTimeout });
    } catch (cause) {
      attempt.isGivenUp = true;
      this.#isLate = true;
      if (this.#attempt !== attempt) return; // stopped meanwhile
      this.#owner.failed(cause, this.#retryMs);
      this.#cancelRetry = timeLimit.clock.setTimer(() => void this.#try(), this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
      return;
    }
    if (!attempt.isGivenUp) this.#owner.began(this.#isLate);
  }

  async #subscribe(attempt: SubscriptionAttempt): Promise<void> {
    const active = await this.#owner.subscribe(attempt);
    if (attempt.isGivenUp) dispose(active);
    else this.#active = active;
  }

  async stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#attempt.isGivenUp = true;
    this.#attempt = { isGivenUp: true };
    const active = this.#active;
    this.#active = undefined;
    if (active === undefined) return;
    const { timeLimit } = this.#owner;
    const onTimeout = (): Error => new Error(`A subscription did not end within ${timeLimit.ms} ms.`);
    try {
      await withDeadline(() => active[Symbol.asyncDispose](), { ...timeLimit, onTimeout });
    } catch (cause) {
      this.#owner.notEnded(cause);
    }
  }
}

/** Ends a subscription that nobody waits for any more. */
function dispose(active: Partial<AsyncDisposable> | undefined): void {
  try {
    ignore(active?.[Symbol.asyncDispose]?.());
  } catch (thrown) {
    ignorePromise(thrown); // there is nobody left to tell
  }
}
