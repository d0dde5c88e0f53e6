import type { ChannelRegistry } from '../channel/channel-registry.js';
import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import type { Revocation } from '../contracts/revocation-feed.js';
import { type Events, shortDigestOf } from '../events.js';
import { checkedRevocation } from '../feeds/checked-revocation.js';
import type { IdentityKeys } from '../identity/user-source.js';
import { codeOfEnd, codesByKey } from './codes-of-ends.js';
import type { Hints } from './hints.js';
import type { RevocationLog } from './revocation-log.js';

/** What revocations need of a server. */
export interface RevocationsOwner {
  readonly clock: Clock;
  readonly registry: ChannelRegistry;
  readonly log: RevocationLog;
  readonly hints: Hints;
  readonly events: Events;
}

/**
 * A revocation as a feed tells it: members that are `undefined` or `null` say nothing. Of a token, a user and an HTTP
 * session, the first that it names counts.
 *
 * @throws {TypeError} when it is none.
 */
export function toldRevocation(told: Revocation): Revocation {
  const { tokenId, userId, issuedBefore, hint } = Object(told) as { readonly [name: string]: unknown };
  if (tokenId != null) return checkedRevocation('a revocation', { tokenId, hint });
  if (userId != null) return checkedRevocation('a revocation', { userId, issuedBefore, hint });
  return checkedRevocation('a revocation', told);
}

/** Tells of a revocation that concerns `channels`. */
function tell(events: Events, revocation: Revocation, channels: readonly Connection[]): void {
  if (!events.isHeard('revocation')) return;
  const told = { type: 'revocation', isHint: revocation.hint === true, channels: channels.filter(({ isOpen }) => isOpen).length } as const;
  if ('tokenId' in revocation) events.emit({ ...told, kind: 'token', subject: revocation.tokenId });
  else if ('userId' in revocation) events.emit({ ...told, kind: 'user', subject: shortDigestOf(revocation.userId) });
  else events.emit({ ...told, kind: 'http-session', subject: shortDigestOf(revocation.httpSessionId) });
}

/** By which of their keys a revocation names channels. */
function keyOf(revocation: Revocation): keyof IdentityKeys {
  if ('tokenId' in revocation) return 'tokenId';
  return 'userId' in revocation ? 'userId' : 'httpSessionId';
}

/** Does what revocations say, to the channels of this process. */
export class Revocations {
  readonly #owner: RevocationsOwner;

  constructor(owner: RevocationsOwner) {
    this.#owner = owner;
  }

  /**
   * Ends the channels that a revocation speaks of, or has them looked up again.
   *
   * @returns how many were ended.
   */
  act(revocation: Revocation): number {
    const { registry, log, hints, events } = this.#owner;
    const concerned = registry.foundBy(revocation);
    tell(events, revocation, concerned);
    const issuedBefore = 'userId' in revocation ? (revocation.issuedBefore ?? undefined) : undefined;
    if (revocation.hint === true) {
      log.noteDoubt(revocation);
      hints.add(concerned);
      return 0;
    }
    if (issuedBefore === undefined) {
      log.noteEnd(revocation);
      return this.end(concerned, keyOf(revocation));
    }
    log.noteDoubt(revocation, issuedBefore);
    const before = new Set(concerned.filter((channel) => this.#wasIssuedBefore(channel, issuedBefore)));
    hints.add(concerned.filter((channel) => !before.has(channel)));
    return [...before].filter((channel) => this.endAsTooOld(channel)).length;
  }

  /** Ends a channel that goes by what was issued too early; whether it was open. */
  endAsTooOld(channel: Connection): boolean {
    return channel.cutOff(codeOfEnd(channel.identity));
  }

  /** Whether its token or HTTP session was certainly issued before a moment: it says so, or was used before. */
  #wasIssuedBefore({ identity }: Connection, moment: Date): boolean {
    if (identity.keys === undefined) return false; // it is being looked up
    if (identity.issuedAt !== undefined && identity.issuedAt < moment) return true;
    const { clock } = this.#owner;
    return clock.now() - (clock.monotonic() - identity.identifiedAt) < moment.getTime();
  }

  /** Ends `channels`, for which what their `key` names has ended; returns how many of them were open. */
  end(channels: readonly Connection[], key: keyof IdentityKeys): number {
    return channels.filter((channel) => channel.cutOff(codesByKey[key])).length;
  }
}
