import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { lookUpFailed } from '../identity/bounded-look-up.js';
import { checkedHttpSession } from '../identity/checked-http-session.js';
import type { HandshakeRequest } from '../messages.js';
import type { Connection } from './connection.js';

/** The HTTP session of one handshake: read once, whoever asks, since a server has one reader. */
export class HandshakeSession {
  readonly #channel: Connection;
  readonly #reader: HttpSessionReader;
  #session: HttpSession | undefined;
  /** What was found, within the bounds of the connect: a rejection with `ERR_LOOKUP_FAILED` where nobody can tell. */
  readonly found: Promise<HttpSession | undefined>;

  /** @param bounded has it read. */
  constructor(channel: Connection, reader: HttpSessionReader, bounded: (self: HandshakeSession) => Promise<HttpSession | undefined>) {
    this.#channel = channel;
    this.#reader = reader;
    this.found = bounded(this);
  }

  async read(request: HandshakeRequest): Promise<HttpSession | undefined> {
    try {
      this.#session = checkedHttpSession(await this.#reader.read(request), 'sessions.read');
      this.#channel.identity.rememberHttpSession(this.#session);
      return this.#session;
    } catch (error) {
      throw lookUpFailed(error, 'Reading the HTTP session of a handshake');
    }
  }

  /** The channel lives: so does what was found, where it wants that. */
  keepAlive(): void {
    if (this.#session !== undefined) this.#channel.runtime.httpSessions.add(this.#channel, this.#reader, this.#session);
  }
}
