import { hash } from 'node:crypto';
import { channel as channelNamed, type Channel as DiagnosticsChannel } from 'node:diagnostics_channel';
import type { Authentication, AuthenticationOutcome, SourceName } from './authentication.js';
import type { Clock } from './contracts/clock.js';
import { ignore, ignorePromise } from './maybe-promise.js';
import type { ErrorCode } from './outcomes.js';
import type { TokenId } from './token-id.js';

/** Which channel an event is about, and who speaks on it. Holds no secret. */
export interface EventSubject {
  /** The channel's `id`, which is random. */
  readonly channelId: string;
  /** The first 16 hexadecimal digits of the SHA-256 of the user's id; `undefined` for the anonymous user. */
  readonly userDigest: string | undefined;
  /** The id of the token that was presented, a digest of its key; `undefined` if none was. */
  readonly tokenId: TokenId | undefined;
}

/** A handshake has succeeded: the channel lives. */
export interface HandshakeEvent extends EventSubject {
  readonly type: 'handshake';
  /** Whether the connect handler ran before the handshake was answered (`handleUpgrades`) or after (`accept`, `attach`). */
  readonly via: 'upgrade' | 'accept';
  /** How identification ended; `undefined` if no wrapper identified. */
  readonly outcome: AuthenticationOutcome | undefined;
  readonly source: Authentication['source'];
  /** Time since the arrival of the handshake, in milliseconds; `undefined` if nobody listened then. */
  readonly durationMs: number | undefined;
  /** The request's header `traceparent` (W3C Trace Context), if a proxy or client sent a well-formed one. */
  readonly traceparent: string | undefined;
}

/** A handshake was refused: there will be no channel. */
export interface RefusalEvent extends Omit<HandshakeEvent, 'type' | 'channelId' | 'via'> {
  readonly type: 'refusal';
  /** `undefined` if it was refused for its subprotocols, before there was a channel. */
  readonly channelId: string | undefined;
  readonly via: 'upgrade' | 'accept';
  /** Why. */
  readonly code: ErrorCode;
  /** The status that the client got; `undefined` if the handshake was answered before. */
  readonly status: number | undefined;
  /** The code with which its connection was closed; `undefined` if it got a status. */
  readonly closeCode: number | undefined;
}

/** A client was identified, or not. */
export interface IdentificationEvent extends EventSubject {
  readonly type: 'identification';
  /** How it ended; `failed` if a repository failed or took too long. */
  readonly outcome: AuthenticationOutcome | 'failed';
  readonly source: Authentication['source'];
  /** Where the token travelled. */
  readonly carrier: Authentication['carrier'];
  /** When the source that found the user ends; `undefined` if it never does, or nobody was found. */
  readonly until?: Date | undefined;
  /** Whether a user would have been found, had the source not ended. */
  readonly hasSourceEnded?: true | undefined;
  /** In milliseconds; `undefined` where nobody listened when it began. */
  readonly durationMs: number | undefined;
}

/** Live credentials were looked up again, in one batch. */
export interface RevalidationEvent {
  readonly type: 'revalidation';
  readonly source: SourceName;
  /** How many credentials were looked up, including those that tokens were exchanged for. */
  readonly asked: number;
  /** How many channels ended by it. */
  readonly ended: number;
  /** How many credentials could not be looked up. That alone ends no channel. */
  readonly failed: number;
  /** In milliseconds; `undefined` where nobody listened when it began. */
  readonly durationMs: number | undefined;
}

/** A token, a user or an HTTP session was revoked. */
export interface RevocationEvent {
  readonly type: 'revocation';
  readonly kind: 'token' | 'user' | 'http-session';
  /** A token's id as it is; for a user or an HTTP session, the first 16 hexadecimal digits of the SHA-256 of its id. */
  readonly subject: string;
  /** Whether its channels are only looked up again (`true`), or ended (`false`). */
  readonly isHint: boolean;
  /** How many open channels of this server it concerns, connecting ones included. */
  readonly channels: number;
}

/** A revocation feed has failed, or works again. */
export interface FeedEvent {
  readonly type: 'feed';
  /** An attempt to subscribe or to go on has failed, or the feed works again after that. */
  readonly state: 'failed' | 'restored';
  /** How many attempts have failed in a row. */
  readonly failures: number;
  /** Since the first of them, in milliseconds. */
  readonly downMs: number;
}

/** A channel goes on with a credential that lives longer. */
export interface RenewalEvent extends EventSubject {
  readonly type: 'renewal';
  /** The token was extended, exchanged for another, or the client gave another key. */
  readonly how: 'extended' | 'successor' | 'reauthenticated';
}

/** Changes of a session were written, or could not be. */
export interface SaveEvent {
  readonly type: 'save';
  /** The channels whose messages changed it, one entry for each message. */
  readonly channelIds: readonly string[];
  /** How many messages' changes went into this one write. */
  readonly commits: number;
  /** Why nothing was written; `undefined` if it was. */
  readonly code: ErrorCode | undefined;
  /** In milliseconds, including repeated reads if others came first; `undefined` if nobody listened when it began. */
  readonly durationMs: number | undefined;
}

/** Others changed a session first. */
export interface ConflictEvent {
  readonly type: 'conflict';
  /** The channels whose messages met it, one entry for each message. */
  readonly channelIds: readonly string[];
  /** Whether the changes are tried again on the newest state (`true`), or the messages fail with `ERR_SESSION_CONFLICT` (`false`). */
  readonly isRetried: boolean;
}

/** A client read more slowly than it was sent to; its channel ends. */
export interface SlowConsumerEvent extends EventSubject {
  readonly type: 'slow-consumer';
  /** How many bytes were left unsent. */
  readonly bufferedBytes: number;
}

/** Silent channels were looked for. */
export interface HeartbeatEvent {
  readonly type: 'heartbeat';
  /** How many were pinged. */
  readonly pinged: number;
  /** How many had not answered for a whole beat, and were dropped. */
  readonly silent: number;
}

/** A channel that was not refused is over: its connection is gone. */
export interface CloseEvent extends EventSubject {
  readonly type: 'close';
  /** Why this side ended it; `undefined` if the peer did, `ws` did over broken frames, or the line broke. */
  readonly code: ErrorCode | undefined;
  /** The code of the close frame, ours or the peer's; 1006 if the peer vanished, 1005 if it gave none. */
  readonly closeCode: number;
  /** Our reason; `undefined` if the peer closed, since its reason may be anything. */
  readonly reason: string | undefined;
  /** Whether it had been opened: `false` if the client left, or the handler dropped it, before the handshake had succeeded. */
  readonly wasOpen: boolean;
  /** How long it lived, in milliseconds since the arrival of its handshake; `undefined` if nobody listened then. */
  readonly ageMs: number | undefined;
}

/**
 * What happens on a server, for whoever operates it. Published on `node:diagnostics_channel` as `ws-with:<type>`, and given to the option
 * `onEvent`. Durations are milliseconds of the monotonic clock; no member holds a key, a cookie, a session's id or a user's id.
 */
export type ChannelEvent =
  | HandshakeEvent
  | RefusalEvent
  | IdentificationEvent
  | RevalidationEvent
  | RevocationEvent
  | FeedEvent
  | RenewalEvent
  | SaveEvent
  | ConflictEvent
  | SlowConsumerEvent
  | HeartbeatEvent
  | CloseEvent;

type EventType = ChannelEvent['type'];

function byType<T>(make: (type: EventType) => T): Readonly<Record<EventType, T>> {
  return {
    handshake: make('handshake'),
    refusal: make('refusal'),
    identification: make('identification'),
    revalidation: make('revalidation'),
    revocation: make('revocation'),
    feed: make('feed'),
    renewal: make('renewal'),
    save: make('save'),
    conflict: make('conflict'),
    'slow-consumer': make('slow-consumer'),
    heartbeat: make('heartbeat'),
    close: make('close'),
  };
}

/** Whether anybody listens. */
interface Audience {
  readonly hasSubscribers: boolean;
}

/** One for each type, for all servers of the process. */
const diagnostics = byType((type): DiagnosticsChannel => channelNamed(`ws-with:${type}`));
/** That of `onEvent`, which is told of everything. */
const attentive: Audience = Object.freeze({ hasSubscribers: true });
const attentiveToAll = byType(() => attentive);

/** What an event says of an id that is none of its business: the first 16 hexadecimal digits of its SHA-256. */
export function shortDigestOf(id: string): string {
  return hash('sha256', id, 'hex').slice(0, 16);
}

/** Where a server tells what happens. */
export interface EventOptions {
  /**
   * Called with every event when it happens; see `docs/observability.md`. What it throws, or rejects with, is ignored.
   *
   * @default none
   */
  readonly onEvent?: ((event: ChannelEvent) => void) | undefined;
}

/**
 * Tells whoever listens. Where nobody does, nothing is made and no clock is read: callers ask {@link isHeard} before they make an event,
 * or {@link audience} where a call would be too much: each time, since somebody may come later.
 */
export class Events {
  readonly #onEvent: EventOptions['onEvent'];
  readonly #clock: Clock;
  /** Who listens to each type. */
  readonly audience: Readonly<Record<EventType, Audience>>;

  constructor(clock: Clock, { onEvent }: EventOptions = {}) {
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.audience = onEvent === undefined ? diagnostics : attentiveToAll;
  }

  isHeard(type: EventType): boolean {
    return this.audience[type].hasSubscribers;
  }

  /** When something begins whose end is an event of `type`; `undefined` where nobody would hear of it. */
  start(type: EventType): number | undefined {
    return this.isHeard(type) ? this.#clock.monotonic() : undefined;
  }

  /** How long ago that was, in milliseconds. */
  since(start: number | undefined): number | undefined {
    return start === undefined ? undefined : this.#clock.monotonic() - start;
  }

  emit(event: ChannelEvent): void {
    const diagnosticsChannel = diagnostics[event.type];
    if (diagnosticsChannel.hasSubscribers) diagnosticsChannel.publish(event);
    try {
      ignore(this.#onEvent?.(event));
    } catch (thrown) {
      ignorePromise(thrown); // who listens must not harm what it listens to
    }
  }
}
