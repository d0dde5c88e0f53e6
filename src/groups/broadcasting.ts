import type { Broadcaster } from '../contracts/broadcaster.js';
import type { Clock } from '../contracts/clock.js';
import { ChannelError } from '../errors.js';
import { LastingSubscription, type LastingSubscriptionOwner, type SubscriptionAttempt } from '../feeds/lasting-subscription.js';
import { ignorePromise, promiseOf } from '../maybe-promise.js';
import type { Reporter } from '../reporter.js';
import { type TimeLimit, withDeadline } from '../time/deadline.js';

/** Who hears what other processes send. */
export interface BroadcastListener {
  received(group: string, data: string | Uint8Array): void;
  /** Something may have been missed. */
  gap(): void;
}

/** How long a broadcaster that does not answer is waited for when it is subscribed to, and when groups close. */
const answerMs = 10_000;

/** The way of some groups to other processes and back: nobody waits for it, and its failures are told to the reporter. */
export class Broadcasting implements LastingSubscriptionOwner {
  readonly timeLimit: TimeLimit;
  readonly #broadcaster: Broadcaster;
  readonly #listener: BroadcastListener;
  readonly #reporter: Reporter;
  readonly #lasting: LastingSubscription;
  #isClosed = false;
  #becomeReady!: () => void;
  /** Resolves once the subscription stands. */
  readonly ready = new Promise<void>((resolve) => {
    this.#becomeReady = resolve;
  });
  /** How many messages were handed to the broadcaster and have not come to anything yet. */
  #pending = 0;
  /** Told when there are none. */
  #whenDone: (() => void) | undefined;
  /** Whether the last one failed, which is told once. */
  #isFailing = false;
  /** Whether others are not heard, which is told once. */
  #isDeaf = false;
  readonly #onSent = (): void => {
    this.#isFailing = false;
    this.#done();
  };
  readonly #onFailed = (cause: unknown): void => {
    ignorePromise(cause);
    const isKnown = this.#isFailing;
    this.#isFailing = true; // at once: whoever is told of it may send to a group, and fail in turn
    if (!isKnown) {
      const text = 'What was sent to a group did not reach the other processes; their groups are told of a gap once they can be.';
      this.#warn(text, cause);
    }
    this.#done();
  };

  constructor(broadcaster: Broadcaster, listener: BroadcastListener, reporter: Reporter, clock: Clock) {
    this.timeLimit = { clock, ms: answerMs };
    this.#broadcaster = broadcaster;
    this.#listener = listener;
    this.#reporter = reporter;
    this.#lasting = new LastingSubscription(this, false);
  }

  /** Sends `data` to the other processes; those that are sent one after the other arrive so. */
  publish(group: string, data: string | Uint8Array): void {
    if (this.#isClosed) return;
    this.#pending += 1;
    let publishing: Promise<void>;
    try {
      publishing = promiseOf(this.#broadcaster.publish(group, data));
    } catch (cause) {
      this.#onFailed(cause);
      return;
    }
    publishing.then(this.#onSent, this.#onFailed);
  }

  #done(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#whenDone?.();
  }

  subscribe(attempt: SubscriptionAttempt): Promise<AsyncDisposable> {
    return this.#broadcaster.subscribe(
      (group, data) => this.#tell(attempt, () => this.#listener.received(group, data)),
      () => this.#tell(attempt, () => this.#listener.gap()),
      {
        failed: (cause) => {
          ignorePromise(cause);
          this.#tell(attempt, () => this.#notHeard(cause));
        },
        restored: () =>
          this.#tell(attempt, () => {
            this.#isDeaf = false;
          }),
      },
    );
  }

  /** It had begun, and cannot go on; it tries again by itself, and that is told once. */
  #notHeard(cause: unknown): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#warn(
      'A broadcaster is not heard and could not go on; it tries again, and until then groups hear nothing of other processes.',
      cause,
    );
  }

  #tell(attempt: SubscriptionAttempt, run: () => void): void {
    if (!attempt.isGivenUp) this.#run(run);
  }

  /** What listeners throw is theirs. */
  #run(run: () => void): void {
    if (this.#isClosed) return;
    try {
      run();
    } catch (error) {
      this.#reporter.error(error);
    }
  }

  began(isLate: boolean): void {
    this.#isDeaf = false; // an attempt before this one may have told otherwise, and is told of nothing more
    this.#becomeReady();
    if (isLate) this.#run(() => this.#listener.gap());
  }

  failed(cause: unknown, retryMs: number): void {
    const text = `A broadcaster could not be subscribed to; the next attempt comes in ${retryMs} ms. Until then groups send to this process alone.`;
    this.#warn(text, cause);
  }

  notEnded(cause: unknown): void {
    this.#warn('The subscription to a broadcaster did not end in order.', cause);
  }

  #warn(text: string, cause: unknown): void {
    this.#reporter.warn(new ChannelError('ERR_BROADCAST_FAILED', text, { cause }));
  }

  /** Hears nothing more; resolves once what was sent before has left, or the broadcaster does not answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#becomeReady();
    if (this.#pending > 0) await this.#sent();
    await this.#lasting.stop();
  }

  async #sent(): Promise<void> {
    const { timeLimit } = this;
    const onTimeout = (): Error => new Error(`${this.#pending} messages were not published within ${timeLimit.ms} ms.`);
    const sent = new Promise<void>((resolve) => {
      this.#whenDone = resolve;
    });
    try {
      await withDeadline(() => sent, { ...timeLimit, onTimeout });
    } catch (cause) {
      this.#warn('What was sent to groups may not have reached the other processes when they were closed.', cause);
    }
  }
}
