import type { TokenId } from '../token-id.js';

/** What a ticket stands for: whose channel it opens, and with what that channel ends. */
export interface TicketGrant {
  readonly userId: string;
  /**
   * The token for which the ticket was given. The channel behaves as if that token had come with the handshake: it is looked up when the
   * ticket is used, and the channel ends with it.
   */
  readonly tokenId?: TokenId | undefined;
  /** When the channel ends at the latest, if there is no `tokenId`. @default never */
  readonly expiresAt?: Date | undefined;
  /** The web site's session for which the ticket was given: the channel ends with it. */
  readonly httpSessionId?: string | undefined;
}

/**
 * Keeps tickets: secrets that stand for a log-in for a few seconds and can be used once, so that they may travel in a URL.
 *
 * A rejection means "cannot tell" and ends the handshake with 503; it never makes a user anonymous. A malformed ticket, grant or time
 * rejects with a `TypeError` before anything is asked or written.
 */
export interface TicketStore {
  /** After how many milliseconds the store itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /**
   * Makes a ticket: a string of 16 to 512 characters of `[A-Za-z0-9._~+/=-]` that nobody can guess, of at least 128 random bits.
   *
   * @param ttlMs how long it can be used, in milliseconds, an integer of at least 1.
   */
  issue(grant: TicketGrant, ttlMs: number): Promise<string>;
  /**
   * What a ticket stands for, at the first call; `undefined` at later calls, and if it is unknown or has expired. Of several calls at once,
   * in whatever processes, one gets it.
   */
  consume(ticket: string): Promise<TicketGrant | undefined>;
}
