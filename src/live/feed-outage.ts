import type { Runtime } from '../channel/runtime.js';
import { ChannelError } from '../errors.js';

/** So often at most the application is warned of a feed that goes on failing by itself. */
const warningIntervalMs = 60_000;

/** The time in which a feed is not heard, and who is told of it. */
export class FeedOutage {
  readonly #runtime: Runtime;
  #failures = 0;
  #since = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** It could not be subscribed to; the next attempt comes in `retryMs`. */
  notSubscribed(cause: unknown, retryMs: number): void {
    this.#count();
    this.#warn(
      `A revocation feed could not be subscribed to; the next attempt comes in ${retryMs} ms, and live channels are looked up again after it.`,
      cause,
    );
  }

  /** It had begun, and cannot go on; it tries again by itself, so that is told seldom. */
  notResumed(cause: unknown): void {
    this.#count();
    const now = this.#runtime.clock.monotonic();
    if (now - this.#warnedAt < warningIntervalMs) return;
    this.#warnedAt = now;
    this.#warn(
      'A revocation feed is not heard and could not go on; it tries again, and until then only sweeps find what was revoked.',
      cause,
    );
  }

  /** It is heard. */
  over(): void {
    if (this.#failures > 0) this.#tell('restored');
    this.#failures = 0;
    this.#warnedAt = Number.NEGATIVE_INFINITY;
  }

  #count(): void {
    if (this.#failures === 0) this.#since = this.#runtime.clock.monotonic();
    this.#failures += 1;
    this.#tell('failed');
  }

  #warn(text: string, cause: unknown): void {
    this.#runtime.reporter.warn(new ChannelError('ERR_REVOCATION_FEED_FAILED', text, { cause }));
  }

  #tell(state: 'failed' | 'restored'): void {
    const { events, clock } = this.#runtime;
    if (events.isHeard('feed')) events.emit({ type: 'feed', state, failures: this.#failures, downMs: clock.monotonic() - this.#since });
  }
}
