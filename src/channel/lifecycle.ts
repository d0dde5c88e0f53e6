import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Authentication } from '../authentication.js';
import { type EventSubject, type Events, type RenewalEvent, shortDigestOf } from '../events.js';
import type { IdentityKeys } from '../identity/user-source.js';
import type { ErrorCode, Outcome } from '../outcomes.js';
import type { TokenId } from '../token-id.js';
import type { AnonymousUser, AppUser } from '../users.js';
import type { Ending } from './ending.js';
import type { Transport } from './transport.js';

/** What is told of a channel. */
interface ToldChannel {
  readonly id: string;
  readonly user: AppUser | AnonymousUser;
  readonly tokenId: TokenId | undefined;
  readonly socket: WebSocket | undefined;
  readonly via: Transport['via'];
  readonly isOpen: boolean;
  readonly identity: {
    /** By what it is found; `undefined` where that is not known yet. */
    readonly keys: IdentityKeys | undefined;
    readonly authentication: Authentication | undefined;
    readonly source: { readonly until?: Date | undefined } | undefined;
  };
}

interface Arrival {
  readonly at: number | undefined;
  readonly traceparent: string | undefined;
}

const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Tells the events of single channels. What it must remember for that hangs on no channel, and is kept only while somebody listens. */
export class Lifecycle {
  readonly #events: Events;
  readonly #arrivals = new WeakMap<ToldChannel, Arrival>();
  /** When the look-ups began that are under way. */
  readonly #lookUps = new WeakMap<ToldChannel, number>();

  constructor(events: Events) {
    this.#events = events;
  }

  /** A handshake has arrived. */
  arrived(channel: ToldChannel, request: IncomingMessage): void {
    const events = this.#events;
    const at = events.start('handshake') ?? events.start('refusal') ?? events.start('close');
    if (at !== undefined) this.#arrivals.set(channel, { at, traceparent: traceparentOf(request) });
  }

  /** It has succeeded. */
  opened(channel: ToldChannel): void {
    if (!this.#events.isHeard('handshake')) return;
    this.#events.emit({ type: 'handshake', ...subjectOf(channel), ...this.#handshakeOf(channel) });
  }

  /** It was refused. */
  refused(channel: ToldChannel, { code, status, closeCode }: Ending, by: Transport['refusesBy']): void {
    // its answer, if it ever comes, is nobody's
    if (code === 'ERR_LOOKUP_TIMEOUT' && this.#lookUps.has(channel)) this.#tellIdentified(channel, true);
    if (code === undefined || !this.#events.isHeard('refusal')) return;
    const answer = by === 'status' ? { status, closeCode: undefined } : { status: undefined, closeCode };
    this.#events.emit({ type: 'refusal', ...subjectOf(channel), ...this.#handshakeOf(channel), code, ...answer });
  }

  /** An upgrade was refused before there was a channel. */
  turnedAway(code: ErrorCode, { status, closeCode }: Outcome, by: Transport['refusesBy'], request: IncomingMessage): void {
    if (!this.#events.isHeard('refusal')) return;
    this.#events.emit({
      type: 'refusal',
      channelId: undefined,
      userDigest: undefined,
      tokenId: undefined,
      via: 'upgrade',
      outcome: undefined,
      source: undefined,
      durationMs: undefined,
      traceparent: traceparentOf(request),
      code,
      status: by === 'status' ? status : undefined,
      closeCode: by === 'status' ? undefined : closeCode,
    });
  }

  /** The look-up of its user begins. */
  identifying(channel: ToldChannel): void {
    const start = this.#events.start('identification');
    if (start !== undefined) this.#lookUps.set(channel, start);
  }

  /** Its user was looked up. What is known only when the channel has ended is not told. */
  identified(channel: ToldChannel, hasFailed = false): void {
    if (channel.isOpen) this.#tellIdentified(channel, hasFailed);
  }

  #tellIdentified(channel: ToldChannel, hasFailed: boolean): void {
    if (!this.#events.isHeard('identification')) return;
    const { outcome = 'missing', source, carrier, hasSourceEnded } = channel.identity.authentication ?? {};
    const durationMs = this.#events.since(this.#lookUps.get(channel));
    this.#lookUps.delete(channel);
    this.#events.emit({
      type: 'identification',
      ...subjectOf(channel),
      outcome: hasFailed ? 'failed' : outcome,
      source,
      carrier,
      until: channel.identity.source?.until,
      hasSourceEnded,
      durationMs,
    });
  }

  /** Its peer reads too slowly. */
  slow(channel: ToldChannel): void {
    if (!this.#events.isHeard('slow-consumer')) return;
    this.#events.emit({ type: 'slow-consumer', ...subjectOf(channel), bufferedBytes: channel.socket?.bufferedAmount ?? 0 });
  }

  /** It goes on with a credential that lives longer. */
  renewed(channel: ToldChannel, how: RenewalEvent['how']): void {
    if (channel.isOpen && this.#events.isHeard('renewal')) this.#events.emit({ type: 'renewal', ...subjectOf(channel), how });
  }

  /** Its connection is gone. */
  closed(channel: ToldChannel, { code, closeCode, reason }: Ending, wasOpen: boolean): void {
    if (!this.#events.isHeard('close')) return;
    const wasRefused = !wasOpen && code !== undefined && closeCode !== 1006; // told already
    if (wasRefused) return;
    this.#events.emit({
      type: 'close',
      ...subjectOf(channel),
      code,
      closeCode,
      reason: code === undefined ? undefined : reason,
      wasOpen,
      ageMs: this.#events.since(this.#arrivals.get(channel)?.at),
    });
  }

  #handshakeOf(channel: ToldChannel) {
    const { at, traceparent } = this.#arrivals.get(channel) ?? {};
    const { outcome, source } = channel.identity.authentication ?? {};
    return { via: channel.via, outcome, source, durationMs: this.#events.since(at), traceparent } as const;
  }
}

function subjectOf({ id, user, tokenId, identity: { keys, authentication } }: ToldChannel): EventSubject {
  // a handler may have changed the user object since it was identified
  const userId = keys === undefined ? user.id : keys.userId;
  return {
    channelId: id,
    userDigest: userId == null ? undefined : shortDigestOf(userId),
    tokenId: tokenId ?? authentication?.tokenId,
  };
}

function traceparentOf({ headers: { traceparent } }: IncomingMessage): string | undefined {
  return typeof traceparent === 'string' && traceparentPattern.test(traceparent) ? traceparent : undefined;
}
