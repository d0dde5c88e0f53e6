import type { TokenId } from '../token-id.js';
import type { AppUser, UserLike } from '../users.js';
import type { RevocationFeed } from './revocation-feed.js';

/**
 * What a repository says of one token. No grant at all means that the token is unknown. The core compares the times; an absent
 * one means never. A mock that returns only `{ id, user }` is a complete grant.
 */
export interface TokenGrant<User extends UserLike = AppUser> {
  readonly id: TokenId;
  /** The token's user; `undefined` where it was deleted or disabled. */
  readonly user: User | undefined;
  /** From this moment on the token counts no more. */
  readonly expiresAt?: Date | undefined;
  /** Since this moment the token counts no more. */
  readonly revokedAt?: Date | undefined;
  /** What the token may be used for, in the application's words; handed on as `message.authentication.scopes`. */
  readonly scopes?: readonly string[] | undefined;
  /** The token that it was exchanged for: live channels go over to that one, while it counts and is of the same user. */
  readonly successorId?: TokenId | undefined;
}

/**
 * Finds the users of tokens. It sees ids only: the core digests keys before it asks. What is no id (64 lower-case hexadecimal digits, see
 * `checkTokenId`) rejects with a `TypeError` before anything is asked.
 *
 * A rejection means "cannot tell" and ends the handshake with 503; it never makes a user anonymous.
 */
export interface TokenRepository<User extends UserLike = AppUser> {
  /** After how many milliseconds the repository itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The grant of token `id` in one round trip, or `undefined` where there is no such token. Expired grants may be returned. */
  findById(id: TokenId): Promise<TokenGrant<User> | undefined>;
  /** The same for several at once; ids without a token are left out of the map. */
  findByIds?(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, TokenGrant<User>>>;
  /** Tells of what this process itself ends through this repository; a server listens to it besides its `revocations`. */
  readonly revocations?: RevocationFeed | undefined;
}

/** Options of {@link TokenIssuer.issue}. */
export interface IssueOptions {
  /** How long the token lives, in milliseconds, an integer of at least 1 that ends at a valid `Date`. @default it never expires */
  readonly ttlMs?: number | undefined;
  /** What the user calls this token, e.g. `"phone"`. */
  readonly label?: string | undefined;
  /** What the token may be used for, in the application's words. @default none */
  readonly scopes?: readonly string[] | undefined;
}

/** Options of {@link TokenIssuer.extend}. */
export interface ExtendOptions {
  /** How long the token is to live from now on, in milliseconds, an integer of at least 1 that ends at a valid `Date`. */
  readonly ttlMs: number;
  /**
   * How old it may become, in milliseconds, an integer of at least 1; counted from when the first of a chain of rotated tokens was issued.
   *
   * @default no bound
   */
  readonly maxAgeMs?: number | undefined;
}

/** Options of {@link TokenIssuer.rotate}. */
export interface RotateOptions {
  /** How long the old key still works, in milliseconds, an integer of at least 0, while its token would have. */
  readonly graceMs: number;
  /** How long the new token lives, in milliseconds, an integer of at least 1 that ends at a valid `Date`. @default as long as the old one would have */
  readonly ttlMs?: number | undefined;
  /**
   * How old the chain of rotated tokens may become, in milliseconds, an integer of at least 1; counted from when the first of them was issued.
   * The new token ends then at the latest, and a chain that is so old already counts no more.
   *
   * @default no bound
   */
  readonly maxAgeMs?: number | undefined;
}

/** A token just issued: the only time its key is seen. */
export interface IssuedToken {
  /** The secret that the client holds: 40 hexadecimal digits. Show it once; it cannot be read again. */
  readonly key: string;
  readonly id: TokenId;
  readonly userId: string;
  readonly expiresAt?: Date | undefined;
}

/** What can be told of a token without its key. */
export interface TokenInfo {
  readonly id: TokenId;
  readonly userId: string;
  readonly label?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly expiresAt?: Date | undefined;
  readonly revokedAt?: Date | undefined;
  /** When the token was last used, to about a minute; absent where it never was. */
  readonly lastUsedAt?: Date | undefined;
}

/**
 * Issues and revokes tokens. Only digests of keys are ever stored. An argument that is no id rejects with a `TypeError` before anything is
 * asked or written.
 */
export interface TokenIssuer {
  /**
   * Makes a token for `userId`.
   *
   * @throws {TypeError} when `userId` is no string or empty, or an option is out of range.
   * @throws {UnknownUserError} (a `TypeError` with the `code` `'ERR_USER_UNKNOWN'`) when there is no such user. Whether one that was disabled
   * is there is up to the issuer: its tokens are refused in any case.
   */
  issue(userId: string, options?: IssueOptions): Promise<IssuedToken>;
  /**
   * Revokes one token, and with it those that it was rotated from and into: they are one log-in. Resolves to whether this call did it:
   * `false` for an unknown or already revoked one.
   */
  revoke(id: TokenId): Promise<boolean>;
  /**
   * Revokes all tokens of a user; resolves to how many this call revoked of those that still counted. `revocations` tells of rotated tokens whose
   * grace is over, too: a channel may not have gone over to the new one yet.
   */
  revokeAllOf(userId: string): Promise<number>;
  /** The user's tokens that are neither expired nor revoked, oldest first. */
  listOf(userId: string): Promise<TokenInfo[]>;
  /**
   * Lengthens the life of a token, and never shortens it: not where `maxAgeMs` is over either, nor that of a key which was rotated, whose
   * grace stays as it is.
   *
   * @returns when it ends now (the latest moment that a `Date` can hold where it never does), or `undefined` where it counts no more:
   * unknown, expired or revoked.
   * @throws {TypeError} when an option is out of its range.
   */
  extend?(id: TokenId, options: ExtendOptions): Promise<Date | undefined>;
  /**
   * Exchanges a token for a new one with the same user, label and scopes. The old key works for `graceMs` more, and its grant says by
   * `successorId` what it was exchanged for. A key that is used after its grace was kept by somebody who should not have it: then all tokens
   * that it was rotated into, and from, are revoked.
   *
   * Rotated once more within its grace (the answer to the first time was lost), it is exchanged for yet another token; its first one stays.
   *
   * @returns the new token, or `undefined` where the old one counts no more: unknown, expired or revoked.
   * @throws {TypeError} when an option is out of its range.
   */
  rotate?(id: TokenId, options: RotateOptions): Promise<IssuedToken | undefined>;
}
