import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../contracts/clock.js';
import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Dependencies } from '../identity/dependencies.js';
import type { BoundSource } from '../identity/user-source.js';
import type { Handshake } from '../messages.js';
import type { Outcome, Outcomes } from '../outcomes.js';
import type { Reporter } from '../reporter.js';
import type { RecordContext } from '../session/session-record.js';
import type { InboxLimits } from './inbox.js';
import type { LiveChannel } from './live-channel.js';

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

/** What a channel needs of its server. */
export interface ChannelHost {
  readonly plan: ChannelPlan;
  readonly clock: Clock;
  readonly outcomes: Outcomes;
  readonly reporter: Reporter;
  readonly connectTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly session: RecordContext;
  /** Resolves what something depends on, once per server. */
  bind<Bound>(bindable: { bind(dependencies: Dependencies): Bound }): Bound;
  handshakeOf(request: IncomingMessage): Handshake;
  /** Connect has succeeded. */
  channelOpened(channel: LiveChannel): void;
  /** The connection is gone, or was refused. */
  channelClosed(channel: LiveChannel): void;
  /** Nothing of the channel runs any more. */
  channelFinished(channel: LiveChannel): void;
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
