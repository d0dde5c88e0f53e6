import { checkedOptions, having, milliseconds, oneOf, type Rules } from '../checked-options.js';
import type { SessionStore } from '../contracts/session-store.js';
import type { Dependencies } from '../dependencies.js';
import { SESSION_STORE } from '../injection.js';
import { dayMs, maxTtlMs } from '../time/time-spans.js';
import { MemorySessionStore } from './memory-session-store.js';

/**
 * Whose a channel session is:
 *
 * - `channel`: it belongs to one connection, and is gone with it
 * - `client`: it belongs to the credential (token or HTTP session) that identified the channel; a client that reconnects finds it again
 * - `user`: all of a user's channels share it
 *
 * A channel whose user is anonymous always has its own session.
 */
export type SessionScope = 'channel' | 'client' | 'user';

/** Options of `withChannelSession`, and of a server's `session`. */
export interface ChannelSessionOptions {
  /** Where records are kept. @default what is registered as `SESSION_STORE`, else the process itself */
  readonly store?: SessionStore | undefined;
  /**
   * How long a record outlives its last change or touch, in milliseconds; from 1,000 to 3,153,600,000,000 (a hundred years).
   *
   * @default 86,400,000 (24 hours)
   */
  readonly ttlMs?: number | undefined;
  /** Whose the session is. @default 'channel' */
  readonly scope?: SessionScope | undefined;
}

/** The settings that a server's sessions have. */
export interface SessionSettings {
  /** `undefined`: sessions of scope `channel` live on their channel alone. */
  readonly store: SessionStore | undefined;
  readonly ttlMs: number;
  readonly scope: SessionScope;
}

const scopes: readonly SessionScope[] = ['channel', 'client', 'user'];

const rules: Rules<ChannelSessionOptions> = {
  store: having('a SessionStore', 'load'),
  ttlMs: milliseconds(1_000, maxTtlMs),
  scope: oneOf(scopes),
};

/**
 * A checked copy of `given`.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedSessionOptions(owner: string, given?: ChannelSessionOptions): ChannelSessionOptions {
  return checkedOptions(owner, given, rules);
}

/**
 * What the options of `list` say of `name`; `undefined` where none of them does.
 *
 * @throws {TypeError} when two say different things: a channel has one session.
 */
function agreedOn<Name extends keyof ChannelSessionOptions>(
  name: Name,
  list: readonly ChannelSessionOptions[],
): ChannelSessionOptions[Name] {
  const [first, ...others] = list.map((options) => options[name]).filter((value) => value !== undefined);
  if (others.every((value) => value === first)) return first;
  throw new TypeError(`withChannelSession: a channel has one session, but ${name} is given two different values`);
}

/**
 * Holds a wrapper that the server may not have seen when it was built to the settings that its sessions have.
 *
 * @throws {TypeError} when it has an option of another value: what it keeps would go elsewhere.
 */
export function checkSeenOptions({ store, ttlMs, scope }: ChannelSessionOptions, settings: SessionSettings): void {
  if (
    (store === undefined || store === settings.store) &&
    (ttlMs === undefined || ttlMs === settings.ttlMs) &&
    (scope === undefined || scope === settings.scope)
  )
    return;
  throw new TypeError(
    'withChannelSession is called from a function of your own, where the server cannot see its options: wrap the handler itself, or give them ' +
      'to the server, as session: { store, ttlMs, scope }',
  );
}

/**
 * The settings of a server's sessions: of all the options that it was given, and of what is registered.
 *
 * @throws {TypeError} when two options differ, or the store is none.
 */
export function sessionSettings(options: readonly ChannelSessionOptions[], dependencies: Dependencies): SessionSettings {
  const ttlMs = agreedOn('ttlMs', options) ?? dayMs;
  const scope = agreedOn('scope', options) ?? 'channel';
  const names = { wrapper: 'withChannelSession', option: 'store', token: 'SESSION_STORE', method: 'load' };
  const given = dependencies.optional(agreedOn('store', options), SESSION_STORE, names);
  // shared sessions need a place that outlives a channel; one channel's own session needs none
  const fallback = scope === 'channel' ? undefined : new MemorySessionStore({ clock: dependencies.clock });
  return Object.freeze({ store: given ?? fallback, ttlMs, scope });
}
