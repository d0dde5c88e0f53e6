import type { LimitOptions } from '../channel/channel-limits.js';
import type { RuntimeSettings } from '../channel/runtime.js';
import { aClock, aContainer, aFunction, anInteger, anObject, checkedOptions, milliseconds, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { RevocationFeed } from '../contracts/revocation-feed.js';
import { refusalRules } from '../errors.js';
import type { EventOptions } from '../events.js';
import { aRevocationFeed } from '../feeds/checked-revocation.js';
import { aRevalidation, copyOfRevalidation, defaultSweepMs, type Revalidate } from '../identity/revalidation.js';
import type { DependencyContainer } from '../injection.js';
import type { LiveSettings } from '../live/live-watch.js';
import type { Channel } from '../messages.js';
import { type OriginOptions, originRules } from '../origin.js';
import { defaultOutcomes, type ErrorCode, type Outcome, type Outcomes } from '../outcomes.js';
import type { ReporterOptions } from '../reporter.js';
import { type ChannelSessionOptions, checkedSessionOptions } from '../session/session-settings.js';
import { maxTimerMs, systemClock } from '../time/system-clock.js';

/** Options of a `ChannelServer`. All have defaults; they are copied and checked when the server is made. */
export interface ChannelServerOptions extends OriginOptions, LimitOptions, ReporterOptions, EventOptions {
  /**
   * A container of tsyringe, a place to look for dependencies before the global one; it also resolves a class of handlers. (Partial, since
   * it needs `isRegistered` and `resolve` alone: a mock will do, or what asks another container.)
   *
   * @default the global one
   */
  readonly container?: Partial<DependencyContainer> | undefined;
  /** Options of the channel session, beside those of `withChannelSession`. @default see {@link ChannelSessionOptions} */
  readonly session?: ChannelSessionOptions | undefined;
  /** The time. @default the machine's clock */
  readonly clock?: Clock | undefined;
  /**
   * How long connect may take in all, in milliseconds; after connect, how long each look-up, load and save may take. An integer from 1 to
   * 2,147,483,647.
   *
   * @default 5,000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long a receive or disconnect handler may take with its save, in milliseconds. If it takes longer, its channel ends, and the server
   * stops waiting for it. An integer from 0 (for ever) to 2,147,483,647.
   *
   * @default 60,000
   */
  readonly handlerTimeoutMs?: number | undefined;
  /**
   * After this time without input, in milliseconds, a channel is pinged; after the same time again it is dropped. An integer from 0 (never)
   * to 2,147,483,647.
   *
   * @default 30,000
   */
  readonly heartbeatMs?: number | undefined;
  /** How many receive handlers of one channel may run at once, an integer from 1; those under `withOrdering` still run alone. @default 1 */
  readonly concurrency?: number | undefined;
  /**
   * How many bytes may stay unsent for a whole turn of the event loop, an integer from 1. Within one turn, eight times as many may, and one
   * message of any length.
   *
   * @default 1,048,576 (1 MiB)
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * {@link maxQueuedMessages} in bytes, an integer from 1. Before the handshake is answered, more than this is refused.
   *
   * @default 1,048,576 (1 MiB)
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * How many received messages may wait, an integer from 1. The channel's socket is paused at half of it; what was read already fits.
   *
   * @default 16,384
   */
  readonly maxQueuedMessages?: number | undefined;
  /** How often live channels are looked up again; the option of a source wins over this one. @default { everyMs: 60_000 } */
  readonly revalidate?: Revalidate | undefined;
  /**
   * How long channels live on while their repository or reader fails, in milliseconds, at least 0. It counts from the last answer; without
   * sweeps, or where they do not come that often, from the first question without an answer.
   *
   * @default 900,000 (15 minutes)
   */
  readonly maxStaleMs?: number | undefined;
  /**
   * Called a minute before a channel's token ends, or at once if less is left, with the milliseconds that are left. It is called once for
   * each end; another token or an extension moves the end. What it throws goes to `onError`.
   *
   * @default none
   */
  readonly onExpiring?: ((channel: Channel, inMs: number) => void) | undefined;
  /** Carries revocations between processes. @default what is registered as `REVOCATION_FEED`, if anything is */
  readonly revocations?: RevocationFeed | undefined;
  /** Replacements for entries of the table of outcomes, e.g. {@link privateCloseCodes}. @default none */
  readonly outcomes?: { readonly [Code in ErrorCode]?: Partial<Outcome> } | undefined;
}

/** The options of a server with everything filled in. */
export type ServerSettings = RuntimeSettings & LiveSettings;

const rules: Rules<ChannelServerOptions> = {
  container: aContainer,
  session: anObject,
  clock: aClock,
  connectTimeoutMs: anInteger(1, maxTimerMs),
  handlerTimeoutMs: anInteger(0, maxTimerMs),
  heartbeatMs: anInteger(0, maxTimerMs),
  maxChannelsPerUser: anInteger(1),
  maxChannelsPerAddress: anInteger(1),
  clientAddress: aFunction,
  concurrency: anInteger(1),
  maxBufferedBytes: anInteger(1),
  maxQueuedBytes: anInteger(1),
  maxQueuedMessages: anInteger(1),
  revalidate: aRevalidation,
  maxStaleMs: milliseconds(0),
  onExpiring: aFunction,
  revocations: aRevocationFeed,
  outcomes: anObject,
  onError: aFunction,
  onWarning: aFunction,
  onEvent: aFunction,
  ...originRules,
};

/** Whether a server has an option of that name. */
export function isServerOption(name: string): boolean {
  return Object.hasOwn(rules, name);
}

/**
 * A checked copy of `given`, everything filled in.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedServerOptions(given?: ChannelServerOptions): ServerSettings {
  const options = checkedOptions('ChannelServer', given, rules);
  return Object.freeze({
    ...options,
    container: options.container as DependencyContainer | undefined, // checked above
    clock: options.clock ?? systemClock,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    handlerTimeoutMs: options.handlerTimeoutMs ?? 60_000,
    heartbeatMs: options.heartbeatMs ?? 30_000,
    concurrency: options.concurrency ?? 1,
    maxBufferedBytes: options.maxBufferedBytes ?? 1_048_576,
    maxQueuedBytes: options.maxQueuedBytes ?? 1_048_576,
    maxQueuedMessages: options.maxQueuedMessages ?? 16_384,
    session: checkedSessionOptions('session', options.session),
    trustProxy: options.trustProxy ?? false,
    revalidate: copyOfRevalidation(options.revalidate) ?? Object.freeze({ everyMs: defaultSweepMs }),
    maxStaleMs: options.maxStaleMs ?? 900_000,
    onExpiring: options.onExpiring,
    revocations: options.revocations,
    outcomes: outcomesWith(options.outcomes),
  });
}

function outcomesWith(replacements: ChannelServerOptions['outcomes'] = {}): Outcomes {
  const outcomes: Record<string, Outcome> = { ...defaultOutcomes };
  for (const [code, replacement] of Object.entries(replacements)) {
    const outcome = outcomes[code];
    if (outcome === undefined) throw new TypeError(`ChannelServer: outcomes has no code ${code}`);
    const { status, closeCode, reason } = checkedOptions(`ChannelServer: outcomes.${code}`, replacement, refusalRules);
    outcomes[code] = Object.freeze({
      status: status ?? outcome.status,
      closeCode: closeCode ?? outcome.closeCode,
      reason: reason ?? outcome.reason,
    });
  }
  return Object.freeze(outcomes) as Outcomes;
}
