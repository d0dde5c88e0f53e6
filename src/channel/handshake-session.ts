import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { lookUpFailed } from '../identity/bounded-look-up.js';
import type { HandshakeRequest } from '../messages.js';
import type { Connection } from './connection.js';

/** The HTTP session of one handshake: read once, whoever asks, since a server has one reader. */
export class HandshakeSession {
  readonly #channel: Connection;
  readonly #reader: HttpSessionReader;
  #found: HttpSession | undefined;

  constructor(channel: Connection, reader: HttpSessionReader) {
    this.#channel = channel;
    this.#reader = reader;
  }

  /** @throws {ChannelError} (as a rejection) `ERR_LOOKUP_FAILED`. */
  async read(request: HandshakeRequest): Promise<HttpSession | undefined> {
    try {
      this.#found = (await this.#reader.read(request)) ?? undefined;
      this.#channel.identity.rememberHttpSession(this.#found);
      return this.#found;
    } catch (error) {
      throw lookUpFailed(error);
    }
  }

  /** The channel lives: so does what was found, where it wants that. */
  keepAlive(): void {
    if (this.#found !== undefined) this.#channel.runtime.httpSessions.add(this.#channel, this.#reader, this.#found);
  }
}
