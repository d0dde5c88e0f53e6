import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Authentication } from '../authentication.js';
import type { Clock } from '../contracts/clock.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Dependencies } from '../dependencies.js';
import type { CredentialSource } from '../identity/credentials.js';
import type { BoundSource, UserSource } from '../identity/user-source.js';
import type { Channel, Handshake } from '../messages.js';
import type { ErrorCode, Outcome, Outcomes } from '../outcomes.js';
import type { Reporter } from '../reporter.js';
import type { ChannelRecord } from '../session/channel-record.js';
import type { SessionRecords } from '../session/session-records.js';
import type { ChannelIdentity } from './channel-identity.js';
import type { Inbox, InboxLimits } from './inbox.js';

/** A slot of a server: its handler with its `this`. */
export type SlotFunction = (message: object) => unknown;

/** What a server found out about its handlers when it was built. */
export interface ChannelPlan {
  readonly connect: SlotFunction | undefined;
  readonly receive: SlotFunction | undefined;
  readonly disconnect: SlotFunction | undefined;
  /** The sources that identify a channel; `undefined` where no wrapper does. */
  readonly sources: readonly BoundSource[] | undefined;
  /** Whether a wrapper of connect identifies: it then does so in its place among the other wrappers, else before all of them. */
  readonly connectIdentifies: boolean;
  /** Whether a wrapper of any slot wants the channel session. */
  readonly wantsSession: boolean;
  /** The readers of HTTP sessions that any slot wants. */
  readonly readers: readonly HttpSessionReader[];
  readonly inbox: InboxLimits;
}

/** Something that depends on what a server resolves. */
export interface Bindable<Bound> {
  bind(dependencies: Dependencies): Bound;
  /** Where it looks for tokens. */
  readonly credentials?: readonly CredentialSource[];
}

/** What a channel needs of its server. */
export interface ChannelHost {
  readonly plan: ChannelPlan;
  readonly clock: Clock;
  readonly outcomes: Outcomes;
  readonly reporter: Reporter;
  readonly connectTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly sessions: SessionRecords;
  /** Resolves what something depends on, once per server. */
  bind<Bound>(bindable: Bindable<Bound>): Bound;
  handshakeOf(request: IncomingMessage): Handshake;
  /** Connect has succeeded. */
  channelOpened(channel: RuntimeChannel): void;
  /** The connection is gone, or was refused. */
  channelClosed(channel: RuntimeChannel): void;
  /** Nothing of the channel runs any more. */
  channelFinished(channel: RuntimeChannel): void;
}

/** What connect finds out of a handshake. */
export interface ConnectPreparation {
  /**
   * Everything that the server's wrappers want at connect; `undefined` where there is nothing to wait for.
   *
   * @param hidden the sources of a wrapper that the server could not see when it was built.
   * @param wantsSession whether a wrapper asks for the session that the server could not see either.
   */
  run(hidden?: readonly UserSource[], wantsSession?: boolean): Promise<void> | undefined;
  /** The HTTP session of the handshake: read once, whoever asks. */
  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined>;
  /** Runs a look-up that a wrapper does by itself: it counts as one where the deadline passes meanwhile. */
  lookingUp<T>(run: () => Promise<T>): Promise<T>;
}

/** A channel as the runtime and the wrappers see it. */
export interface RuntimeChannel extends Channel {
  readonly host: ChannelHost;
  readonly inbox: Inbox;
  /** Whether it neither ends nor has ended. */
  readonly isOpen: boolean;
  /** Who connect found, and through what. */
  readonly identity: ChannelIdentity;
  readonly authentication: Authentication | undefined;
  /** What is kept of the handshake, once connect has succeeded. */
  readonly handshake: Handshake;
  /** The channel's session, once it is opened. */
  record: ChannelRecord | undefined;
  /** What connect finds out; `undefined` before and after. */
  readonly preparation: ConnectPreparation | undefined;
  /** Resolves once nothing of the channel runs any more. */
  readonly finished: Promise<void>;
  /** Ends it as the table of outcomes says for `code`. */
  endWith(code: ErrorCode): void;
  /** Ends it because of `error`, which a handler threw or the runtime met while it ran `message`. */
  fail(error: unknown, message?: object): void;
  /** A frame arrived. */
  received(data: Buffer, isBinary: boolean): void;
  /** The connection is closed: by the peer, or at the end of our own closing. */
  closed(code: number, reason: string): void;
}

/** A connection as it is before or after its handshake is answered. */
export interface Transport {
  /** The raw socket, which is corked. */
  readonly raw: Socket;
  /** The socket, where the handshake is answered already. */
  readonly socket: WebSocket | undefined;
  /**
   * Answers the handshake with 101. `onSocket` gets the socket before anything can arrive on it.
   *
   * @returns whether there is a socket now.
   */
  answer(onSocket: (socket: WebSocket) => void): Promise<boolean>;
  /** Answers the handshake with a status. */
  refuse(outcome: Outcome): void;
  /** Drops the connection without an answer. */
  destroy(): void;
}
