import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { UserSource } from '../identity/user-source.js';
import type { ConnectMessage, HandshakeRequest } from '../messages.js';
import { ResponseHeaders } from '../response-headers.js';
import type { ChannelRecord } from '../session/channel-record.js';
import { SessionDraft } from '../session/session-draft.js';
import { ChannelMessage } from './channel-message.js';
import { completePrototype } from './complete-prototype.js';
import type { ConnectWaits } from './connect-timeout.js';
import type { Connection } from './connection.js';

/** The connect that a message belongs to, as wrappers see it. */
export interface OwnConnect {
  /**
   * Everything that the server's wrappers want at connect, done once; `undefined` where there is nothing to wait for.
   *
   * @param wanted the sources of the wrapper that asks: those of the server, where it saw that one when it was built.
   * @param wantsSession whether a wrapper asks for the session that the server could not see either.
   */
  prepare(wanted?: readonly UserSource[], wantsSession?: boolean): Promise<void> | undefined;
  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined>;
  /** Waits for what a wrapper or a session does by itself: it counts where the deadline passes meanwhile. */
  waitFor<T>(what: keyof ConnectWaits, pending: Promise<T>): Promise<T>;
}

/** A handshake has arrived. */
export class ChannelConnectMessage extends ChannelMessage implements Pick<ConnectMessage, 'kind' | 'request' | 'responseHeaders'> {
  readonly request: HandshakeRequest;
  #ownConnect: OwnConnect | undefined;
  #responseHeaders: ResponseHeaders | undefined;

  constructor(channel: Connection, request: HandshakeRequest, connecting: OwnConnect) {
    super(channel);
    this.request = request;
    this.#ownConnect = connecting;
  }

  get kind(): 'connect' {
    return 'connect';
  }

  /** The connect that it belongs to, until that is over. */
  get ownConnect(): OwnConnect | undefined {
    return this.#ownConnect;
  }

  connectIsOver(): void {
    this.#ownConnect = undefined;
  }

  get responseHeaders(): ResponseHeaders {
    this.#responseHeaders ??= new ResponseHeaders();
    if (this.channel.hasConnected || this.channel.socket !== undefined) this.#responseHeaders.seal();
    return this.#responseHeaders;
  }

  /** The lines of {@link responseHeaders} for the answer, which is given now; `undefined` where nobody asked for any. */
  takeHeaderLines(): readonly string[] | undefined {
    this.#responseHeaders?.seal();
    return this.#responseHeaders?.lines();
  }

  /** A reload that hangs is a load that the connect waits for. */
  protected override draftOf(record: ChannelRecord): SessionDraft {
    return new SessionDraft(record, (reloading) => this.#ownConnect?.waitFor('loads', reloading));
  }
}

completePrototype('Message', ChannelConnectMessage.prototype);
