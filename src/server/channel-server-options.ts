import type { Clock } from '../contracts/clock.js';
import type { DependencyContainer } from '../injection.js';
import { kindOf } from '../kind-of.js';
import type { OriginOptions } from '../origin.js';
import { defaultOutcomes, type ErrorCode, type Outcome, type Outcomes } from '../outcomes.js';
import type { ReporterOptions } from '../reporter.js';
import { type ChannelSessionOptions, checkSessionOptions } from '../session/session-settings.js';
import { isCloseCode, isRefusalStatus } from '../status-codes.js';
import { systemClock } from '../system-clock.js';

/** Options of a `ChannelServer`. All have defaults; they are copied and checked when the server is made. */
export interface ChannelServerOptions extends OriginOptions, ReporterOptions {
  /**
   * A container of tsyringe, where dependencies are looked for before the global one; a class of handlers is resolved from it. (Partial, so
   * that a mock of it will do for the compiler; when the server is made, `isRegistered` and `resolve` must be there.) @default the global one
   */
  readonly container?: Partial<DependencyContainer> | undefined;
  /** Options of the channel session, beside those of `withChannelSession`. @default see {@link ChannelSessionOptions} */
  readonly session?: ChannelSessionOptions | undefined;
  /** The time. @default the machine's */
  readonly clock?: Clock | undefined;
  /**
   * How long connect may take in all, in milliseconds, hung repositories included; after connect, how long each look-up, load and save
   * may. From 1 to 2,147,483,647. @default 5,000
   */
  readonly connectTimeoutMs?: number | undefined;
  /** How many receive handlers of one channel may run at once; those under `withOrdering` still run alone. @default 1 */
  readonly concurrency?: number | undefined;
  /** How many bytes may stay unsent for a whole turn of the event loop; within one, eight times as much. @default 1,048,576 (1 MiB) */
  readonly maxBufferedBytes?: number | undefined;
  /** {@link maxQueuedMessages} in bytes; before the handshake is answered, more than this is refused. @default 1,048,576 (1 MiB) */
  readonly maxQueuedBytes?: number | undefined;
  /** Past half of how many received messages that wait a channel is read no further; what was read already fits. @default 16,384 */
  readonly maxQueuedMessages?: number | undefined;
  /** Replacements for entries of the table of outcomes, e.g. {@link privateCloseCodes}. @default none */
  readonly outcomes?: { readonly [Code in ErrorCode]?: Partial<Outcome> } | undefined;
}

/** The options of a server with everything filled in. */
export interface ServerSettings extends OriginOptions, ReporterOptions {
  readonly container: DependencyContainer | undefined;
  readonly session: ChannelSessionOptions;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly concurrency: number;
  readonly maxBufferedBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly trustProxy: boolean;
  readonly outcomes: Outcomes;
}

const maxTimeoutMs = 2_147_483_647;

const numbers = {
  connectTimeoutMs: { fallback: 5_000, max: maxTimeoutMs },
  concurrency: { fallback: 1, max: Number.MAX_SAFE_INTEGER },
  maxBufferedBytes: { fallback: 1_048_576, max: Number.MAX_SAFE_INTEGER },
  maxQueuedBytes: { fallback: 1_048_576, max: Number.MAX_SAFE_INTEGER },
  maxQueuedMessages: { fallback: 16_384, max: Number.MAX_SAFE_INTEGER },
} as const;

const functions = ['onError', 'onWarning'] as const;
const flags = ['requireOrigin', 'trustProxy'] as const;
const others = ['container', 'session', 'clock', 'outcomes', 'origins', 'publicOrigin'] as const;
const known: ReadonlySet<string> = new Set([...Object.keys(numbers), ...functions, ...flags, ...others]);

/**
 * A checked copy of `given`, everything filled in.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkServerOptions(given: ChannelServerOptions = {}): ServerSettings {
  const unknown = Object.keys(given).find((name) => !known.has(name));
  if (unknown !== undefined) throw new TypeError(`ChannelServer: there is no option ${unknown}`);
  for (const name of functions) expect(name, given[name], 'a function', (value) => typeof value === 'function');
  for (const name of flags) expect(name, given[name], 'true or false', (value) => typeof value === 'boolean');
  expect('container', given.container, 'a container of tsyringe', (value) => hasMethods(value, 'isRegistered', 'resolve'));
  expect('clock', given.clock, 'a Clock', (value) => hasMethods(value, 'now', 'monotonic', 'setTimer'));
  const integers = Object.fromEntries(
    Object.entries(numbers).map(([name, { fallback, max }]) => [name, integer(name, given[name as keyof typeof numbers] ?? fallback, max)]),
  ) as Record<keyof typeof numbers, number>;
  return Object.freeze({
    ...given,
    ...integers,
    container: given.container as DependencyContainer | undefined, // checked above
    clock: given.clock ?? systemClock,
    session: checkSessionOptions('session', given.session),
    trustProxy: given.trustProxy ?? false,
    outcomes: outcomesWith(given.outcomes),
  });
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}

function expect(option: string, value: unknown, what: string, accepts: (value: unknown) => boolean): void {
  if (value !== undefined && !accepts(value)) {
    throw new TypeError(`ChannelServer: ${option} must be ${what}, got ${kindOf(value)}`);
  }
}

function integer(option: string, value: unknown, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new TypeError(`ChannelServer: ${option} must be an integer from 1 to ${max}, got ${String(value)}`);
}

function outcomesWith(replacements: ChannelServerOptions['outcomes'] = {}): Outcomes {
  const outcomes: Record<string, Outcome> = { ...defaultOutcomes };
  for (const [code, replacement] of Object.entries(replacements)) {
    const outcome = outcomes[code];
    if (outcome === undefined) throw new TypeError(`ChannelServer: outcomes has no code ${code}`);
    const merged = { ...outcome, ...replacement };
    if (!isRefusalStatus(merged.status)) {
      throw new TypeError(`ChannelServer: outcomes.${code}.status must be an integer from 400 to 599, got ${String(merged.status)}`);
    }
    if (!isCloseCode(merged.closeCode)) {
      throw new TypeError(
        `ChannelServer: outcomes.${code}.closeCode must be a code that a server may send, got ${String(merged.closeCode)}`,
      );
    }
    if (typeof merged.reason !== 'string') throw new TypeError(`ChannelServer: outcomes.${code}.reason must be a string`);
    outcomes[code] = Object.freeze(merged);
  }
  return Object.freeze(outcomes) as Outcomes;
}
