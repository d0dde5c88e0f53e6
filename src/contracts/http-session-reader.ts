import type { IncomingMessage } from 'node:http';
import type { RevocationFeed } from './revocation-feed.js';

/** A session of the web site, found through the handshake. */
export interface HttpSession {
  /** The site's id of the session, never empty; `undefined` if the site does not tell it. Then the session cannot be read again. */
  readonly id: string | undefined;
  /** The id of the session's user, never empty; `undefined` if nobody has logged in. */
  readonly userId: string | undefined;
  /** The session's values. May be changed; {@link save} keeps the change. */
  data: Record<string, unknown>;
  /**
   * Writes `data` back. Rejects if the session is gone (`ERR_SESSION_GONE`; it is never brought back to life), or can only be read
   * (`ERR_HTTP_SESSION_READ_ONLY`).
   */
  save(): Promise<void>;
  /**
   * How often the session is to be touched while one of its channels is open, in milliseconds, above 0; see `touchMany` of the reader.
   *
   * @default never
   */
  readonly touchIntervalMs?: number | undefined;
}

/**
 * Reads the sessions of the web site. It never creates one. A rejection means "cannot tell", never "no session". An id that is not a
 * string, or is empty, rejects with a `TypeError` before anything is asked.
 */
export interface HttpSessionReader {
  /** After how many milliseconds the reader itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The session that the handshake's request belongs to, or `undefined`. */
  read(request: IncomingMessage): Promise<HttpSession | undefined>;
  /** The session with this id, or `undefined` if it is gone or expired. */
  readById(id: string): Promise<HttpSession | undefined>;
  /** The same for several at once; ids without a session are left out of the map. */
  readByIds?(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>>;
  /**
   * Keeps sessions from expiring, as a request of the site would. A server calls it with the sessions of its open channels that have a
   * `touchIntervalMs`: within a second after the first of them has opened, and at these intervals, for 250 at a time. A session that is
   * gone stays gone.
   */
  touchMany?(ids: readonly string[]): Promise<void>;
  /** Tells of the sessions that this process itself ends through this reader. A server listens to it beside its option `revocations`. */
  readonly revocations?: RevocationFeed | undefined;
}
