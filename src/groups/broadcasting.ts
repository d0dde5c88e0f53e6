import type { Broadcaster } from '../contracts/broadcaster.js';
import type { Clock } from '../contracts/clock.js';
import { ChannelError } from '../errors.js';
import { ignore, promiseOf } from '../maybe-promise.js';
import type { Reporter } from '../reporter.js';

/** How soon a subscription that failed is tried again at first, and at the latest. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** Who hears what other processes send. */
export interface BroadcastListener {
  received(group: string, data: string | Uint8Array): void;
  /** Something may have been missed. */
  gap(): void;
}

/** The way of some groups to other processes and back: nobody waits for it, and its failures are told to the reporter. */
export class Broadcasting {
  readonly #broadcaster: Broadcaster;
  readonly #listener: BroadcastListener;
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  #active: AsyncDisposable | undefined;
  #retryMs = firstRetryMs;
  #hasFailed = false;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;
  #isReady!: () => void;
  /** Resolves once the subscription stands. */
  readonly ready = new Promise<void>((resolve) => {
    this.#isReady = resolve;
  });
  /** What was handed to the broadcaster and has not come to anything yet. */
  readonly #pending = new Set<Promise<void>>();
  /** Whether the last one failed, which is told once. */
  #isFailing = false;

  constructor(broadcaster: Broadcaster, listener: BroadcastListener, reporter: Reporter, clock: Clock) {
    this.#broadcaster = broadcaster;
    this.#listener = listener;
    this.#reporter = reporter;
    this.#clock = clock;
    void this.#subscribe();
  }

  /** Sends `data` to the other processes; those that are sent one after the other arrive so. */
  publish(group: string, data: string | Uint8Array): void {
    if (this.#isClosed) return;
    let publishing: Promise<void>;
    try {
      publishing = promiseOf(this.#broadcaster.publish(group, data)).then(
        () => {
          this.#isFailing = false;
        },
        (cause: unknown) => this.#failed(cause),
      );
    } catch (cause) {
      this.#failed(cause);
      return;
    }
    this.#pending.add(publishing);
    void publishing.then(() => this.#pending.delete(publishing));
  }

  #failed(cause: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const text = 'What was sent to a group did not reach the other processes; their groups are told of a gap once they can be.';
    this.#reporter.warn(new ChannelError('ERR_BROADCAST_FAILED', text, { cause }));
  }

  async #subscribe(): Promise<void> {
    try {
      const active = await this.#broadcaster.subscribe(
        (group, data) => this.#tell(() => this.#listener.received(group, data)),
        () => this.#tell(() => this.#listener.gap()),
      );
      if (this.#isClosed) {
        ignore(active[Symbol.asyncDispose]());
        return;
      }
      this.#active = active;
    } catch (cause) {
      if (this.#isClosed) return;
      this.#hasFailed = true;
      const text = `A broadcaster could not be subscribed to; the next attempt comes in ${this.#retryMs} ms. Until then groups send to this process alone.`;
      this.#reporter.warn(new ChannelError('ERR_BROADCAST_FAILED', text, { cause }));
      this.#cancelRetry = this.#clock.setTimer(() => void this.#subscribe(), this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
      return;
    }
    this.#isReady();
    if (this.#hasFailed) this.#tell(() => this.#listener.gap());
  }

  /** What listeners throw is theirs. */
  #tell(run: () => void): void {
    if (this.#isClosed) return;
    try {
      run();
    } catch (error) {
      this.#reporter.error(error);
    }
  }

  /** Hears nothing more; resolves once what was sent before has left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isReady();
    this.#cancelRetry?.();
    await Promise.all(this.#pending);
    const active = this.#active;
    this.#active = undefined;
    try {
      await active?.[Symbol.asyncDispose]();
    } catch (cause) {
      this.#reporter.warn(new ChannelError('ERR_BROADCAST_FAILED', 'The subscription to a broadcaster did not end in order.', { cause }));
    }
  }
}
