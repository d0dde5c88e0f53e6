import type { TokenId } from '../token-id.js';
import type { AppUser, UserLike } from '../users.js';
import type { RevocationFeed } from './revocation-feed.js';

/**
 * What a repository says of one token. No grant at all means that the token is unknown. The core compares the times; an absent time means
 * never, and so does `null`. A mock needs to return only `{ id, user }`.
 */
export interface TokenGrant<User extends UserLike = AppUser> {
  readonly id: TokenId;
  /** The token's user; `undefined` if it was deleted or disabled. */
  readonly user: User | undefined;
  /** From this moment on the token is not valid. */
  readonly expiresAt?: Date | undefined;
  /** Since this moment the token is not valid. */
  readonly revokedAt?: Date | undefined;
  /** What the token may be used for, in the application's words; handed on as `message.authentication.scopes`. */
  readonly scopes?: readonly string[] | undefined;
  /** The token that it was exchanged for. Live channels go over to that one, if it is valid and of the same user. */
  readonly successorId?: TokenId | undefined;
}

/**
 * Finds the users of tokens. It sees ids only: the core digests keys before it asks. Anything but an id (64 lower-case hexadecimal digits,
 * see `checkTokenId`) rejects with a `TypeError` before the database is asked.
 *
 * A rejection means "cannot tell" and ends the handshake with 503; it never makes a user anonymous.
 */
export interface TokenRepository<User extends UserLike = AppUser> {
  /** After how many milliseconds the repository itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The grant of token `id` in one round trip, or `undefined` if there is no such token. It may return expired grants. */
  findById(id: TokenId): Promise<TokenGrant<User> | undefined>;
  /**
   * The same for several at once; ids without a token are left out of the map. Required where tokens are rotated, since it is no use of
   * their keys.
   */
  findByIds?(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, TokenGrant<User>>>;
  /** Tells what this process itself ends through this repository. A server listens to it beside its option `revocations`. */
  readonly revocations?: RevocationFeed | undefined;
}

/** Options of {@link TokenIssuer.issue}. */
export interface IssueOptions {
  /** How long the token lives, in milliseconds, an integer of at least 1 that ends at a valid `Date`. @default it never expires */
  readonly ttlMs?: number | undefined;
  /** What the user calls this token, e.g. `"phone"`. @default none */
  readonly label?: string | undefined;
  /** What the token may be used for, in the application's words. @default none */
  readonly scopes?: readonly string[] | undefined;
}

/** Options of {@link TokenIssuer.extend}. */
export interface ExtendOptions {
  /** How long the token lives from now on, in milliseconds, an integer of at least 1 that ends at a valid `Date`. */
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
  /** How long the old key still works, in milliseconds, an integer of at least 0; never longer than its token would have. */
  readonly graceMs: number;
  /**
   * How long the new token lives, in milliseconds, an integer of at least 1 that ends at a valid `Date`.
   *
   * @default as long as the old one would have
   */
  readonly ttlMs?: number | undefined;
  /**
   * How old the chain of rotated tokens may become, in milliseconds, an integer of at least 1; counted from when the first of them was
   * issued. The new token ends then at the latest; a chain that is that old already is not renewed.
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

/** What is known of a token without its key. */
export interface TokenInfo {
  readonly id: TokenId;
  readonly userId: string;
  readonly label?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly expiresAt?: Date | undefined;
  readonly revokedAt?: Date | undefined;
  /** When the token was last used, to about a minute; absent if it never was. */
  readonly lastUsedAt?: Date | undefined;
}

/**
 * Issues and revokes tokens. Only digests of keys are ever stored. A malformed id rejects with a `TypeError` before anything is asked or
 * written.
 */
export interface TokenIssuer {
  /**
   * Makes a token for `userId`.
   *
   * @throws {TypeError} when `userId` is no string or empty, or an option is out of range.
   * @throws {UnknownUserError} (a `TypeError` with the `code` `'ERR_USER_UNKNOWN'`) when there is no such user. For a disabled user the
   * issuer may do either; its tokens are refused in any case.
   */
  issue(userId: string, options?: IssueOptions): Promise<IssuedToken>;
  /**
   * Revokes one token, and with it those that it was rotated from and into, since they are one log-in. Resolves to whether this call did
   * it: `false` for an unknown or already revoked token.
   */
  revoke(id: TokenId): Promise<boolean>;
  /**
   * Revokes all tokens of a user; resolves to how many valid ones this call revoked. `revocations` also tells of rotated tokens whose grace
   * is over, since a channel may not have gone over to the new one yet.
   */
  revokeAllOf(userId: string): Promise<number>;
  /** The user's tokens that are neither expired nor revoked, oldest first. */
  listOf(userId: string): Promise<TokenInfo[]>;
  /**
   * Lengthens the life of a token, and never shortens it, not even when `maxAgeMs` is over. The grace of a rotated key stays as it is.
   *
   * @returns when the token ends now (the latest moment that a `Date` can hold if it never does), or `undefined` if it is unknown, expired
   * or revoked.
   * @throws {TypeError} when an option is out of its range.
   */
  extend?(id: TokenId, options: ExtendOptions): Promise<Date | undefined>;
  /**
   * Exchanges a token for a new one with the same user, label and scopes. The old key works for another `graceMs`, and its grant has the
   * `successorId`. If a key is used after its grace, somebody has kept it who should not: then all tokens that it was rotated into, and
   * from, are revoked.
   *
   * If it is rotated again within its grace (because the first answer was lost), it gets another successor; the first one stays.
   *
   * @returns the new token, or `undefined` if the old one is unknown, expired or revoked.
   * @throws {TypeError} when an option is out of its range.
   */
  rotate?(id: TokenId, options: RotateOptions): Promise<IssuedToken | undefined>;
}
