import type { Collection, Db, Document } from 'mongodb';
import { checkId } from '../../src/check-id.js';
import { checkedIssueOptions } from '../../src/checked-issue-options.js';
import { aName, anInteger, anObject, checkedOptions, type Rules } from '../../src/checked-options.js';
import { checkedExtendOptions, checkedRotateOptions } from '../../src/checked-renewal-options.js';
import type { RevocationFeed } from '../../src/contracts/revocation-feed.js';
import type {
  ExtendOptions,
  IssuedToken,
  IssueOptions,
  RotateOptions,
  TokenGrant,
  TokenInfo,
  TokenIssuer,
  TokenRepository,
} from '../../src/contracts/token-repository.js';
import { aRevocationFeed } from '../../src/feeds/checked-revocation.js';
import type { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { errorOf } from '../../src/thrown.js';
import { latestTime } from '../../src/time/time-spans.js';
import { timedRules } from '../../src/time/timed-options.js';
import { checkedTokenIds, checkTokenId, type TokenId, tokenIdOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { UnknownUserError } from '../../src/unknown-user-error.js';
import { unreadable, withUnreadable } from '../../src/unreadable.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { Batches } from './batches.js';
import { checkDb } from './check-db.js';
import { LastUsed } from './last-used.js';
import { Operations } from './operations.js';
import { aFlagOrOptions, type MongoOptions } from './options.js';
import { ownRevocations } from './own-revocations.js';
import { TokenCache } from './token-cache.js';
import { checkReadable, endOf, grantOf, infoOf, isReplayed, newToken, type TokenDocument } from './token-document.js';
import { liveTokensOf } from './token-filters.js';
import { TokenRenewal } from './token-renewal.js';
import { TokenRevocation } from './token-revocation.js';
import { TokenSlots } from './token-slots.js';
import { type MongoUserOptions, UserDocuments } from './user-documents.js';
import { keysOf, type UserKey, userIdOf } from './user-key.js';
import { forEachWithPauses, rowsOf } from './with-pauses.js';

/** Remembers what look-ups found for some seconds. Without a `feed`, a revocation by another process is seen only after that time. */
export interface MongoTokenCacheOptions {
  /** How long a look-up may be answered from memory, in milliseconds, an integer from 1 to 60,000. @default 5,000 */
  readonly ttlMs?: number | undefined;
  /** How many tokens are kept at most, an integer from 1; the least recently used goes first. @default 10,000 */
  readonly maxTokens?: number | undefined;
  /** Tells what other processes revoke, so that it is seen at once; `registerMongo` gives its own. @default none */
  readonly feed?: RevocationFeed | undefined;
}

/** Options of {@link MongoTokenRepository}. */
export interface MongoTokenOptions<User extends AuthenticatedUser = AppUser> extends MongoOptions {
  /** The collection that holds the tokens. @default 'tokens' */
  readonly collection?: string | undefined;
  /** Where the users of tokens are. @default as for `MongoUserRepository` */
  readonly users?: MongoUserOptions<User> | undefined;
  /** How many live tokens a user may have, an integer from 1 to 10,000; one more is a {@link TokenLimitError}. @default no limit */
  readonly maxPerUser?: number | undefined;
  /** Answers from memory for some seconds; `true` stands for its defaults. @default off */
  readonly cache?: MongoTokenCacheOptions | boolean | undefined;
}

/** What one query finds of a token. */
interface Found<User extends AuthenticatedUser> {
  readonly grant: TokenGrant<User>;
  readonly document: TokenDocument;
}

const owner = 'MongoTokenRepository';

const tokenRules: Rules<MongoTokenOptions> = {
  ...timedRules,
  collection: aName,
  users: anObject,
  maxPerUser: anInteger(1, 10_000),
  cache: aFlagOrOptions,
};
const cacheRules: Rules<MongoTokenCacheOptions> = {
  ttlMs: anInteger(1, 60_000),
  maxTokens: anInteger(1, 2_147_483_647),
  feed: aRevocationFeed,
};

/**
 * Finds the users of tokens in MongoDB, token and user in one round trip, and issues tokens. It keeps ids (digests), never keys.
 *
 * An expired or revoked token can be found as such for at least 24 hours. Rejects with a `TimeoutError` after `timeoutMs`.
 */
export class MongoTokenRepository<User extends AuthenticatedUser = AppUser> implements TokenRepository<User>, TokenIssuer, AsyncDisposable {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  /**
   * Tells of the tokens that this process ends (of rotated and extended ones by a hint), through any repository over the same client and
   * collection.
   */
  readonly revocations: MemoryRevocationFeed;
  readonly #tokens: Collection<TokenDocument>;
  readonly #users: UserDocuments<User>;
  readonly #operations: Operations;
  readonly #lookups: Batches<Found<User>, TokenId>;
  readonly #userKeys: Batches<UserKey>;
  readonly #lastUsed: LastUsed;
  readonly #slots: TokenSlots | undefined;
  readonly #renewal: TokenRenewal;
  readonly #revocation: TokenRevocation;
  readonly #cache: TokenCache<Found<User>> | undefined;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoTokenOptions<User> = {}) {
    const checked = checkedOptions(owner, options, tokenRules);
    const { collection = 'tokens', users, maxPerUser, cache } = checked;
    this.#tokens = checkDb(owner, db).collection<TokenDocument>(collection);
    this.#users = new UserDocuments(`${owner}.users`, db, users);
    this.#operations = new Operations(checked);
    this.timeoutMs = this.#operations.timeoutMs;
    this.#lookups = new Batches(this.#operations, 'find tokens', (ids, signal) => this.#query(ids, signal));
    this.#userKeys = new Batches(this.#operations, 'find users', (ids, signal) => this.#users.keysOf(ids, signal));
    this.#lastUsed = new LastUsed(this.#tokens, this.#operations);
    if (maxPerUser !== undefined) this.#slots = new TokenSlots(this.#tokens, maxPerUser);
    this.#renewal = new TokenRenewal(this.#tokens, this.#slots);
    this.revocations = ownRevocations(db, collection);
    const parts = { tokens: this.#tokens, operations: this.#operations, told: this.revocations };
    this.#revocation = new TokenRevocation({ ...parts, onRevoked: () => this.clearCache() });
    if (cache) this.#cache = newCache(cache === true ? {} : cache, this.revocations);
  }

  async findById(id: TokenId): Promise<TokenGrant<User> | undefined> {
    checkTokenId(`${owner}.findById`, 'id', id);
    const look = (): Promise<Found<User> | undefined> => this.#operations.run('find a token', (signal) => this.#lookups.ask(id, signal));
    const found = await (this.#cache ? this.#cache.find(id, look) : look());
    if (found === undefined) return undefined;
    if (isReplayed(found.document, this.#operations.clock.now())) await this.#revocation.chainOf(found.document);
    if (this.#isUsable(found.grant)) this.#lastUsed.note(found.document);
    return found.grant;
  }

  /**
   * As the contract says. It is meant for checking tokens again: it asks the database anew and does not count as their use. A token that
   * cannot be read fails alone: its grant throws where its user is read. If none of them can be read, it rejects.
   */
  async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, TokenGrant<User>>> {
    const checked = checkedTokenIds(`${owner}.findByIds`, ids);
    const answer = await this.#lookups.askAll(checked, ({ grant }) => grant);
    return withUnreadable(checked, answer, (id, error) => unreadable<TokenGrant<User>>({ id }, 'user', error));
  }

  /**
   * As the contract says.
   *
   * @throws {TokenLimitError} (as a rejection) when the user has `maxPerUser` live tokens.
   */
  async issue(userId: string, options: IssueOptions = {}): Promise<IssuedToken> {
    checkId(`${owner}.issue`, 'userId', userId);
    const now = this.#operations.clock.now();
    const checked = checkedIssueOptions(`${owner}.issue`, options, now);
    const key = makeTokenKey();
    const token = await this.#operations.run('issue a token', async (signal) => {
      const userKey = await this.#userKeys.ask(userId, signal);
      if (userKey === undefined) throw new UnknownUserError(`${owner}.issue`);
      const token = newToken(tokenIdOf(key), userKey, checked, now);
      if (this.#slots) await this.#slots.insert(token, signal);
      else await this.#tokens.insertOne(token);
      return token;
    });
    return { key, id: tokenIdOf(key), userId, ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }) };
  }

  /** As the contract says. It also rejects when only tokens that it was rotated from and into may be left; then call it again. */
  async revoke(id: TokenId): Promise<boolean> {
    checkTokenId(`${owner}.revoke`, 'id', id);
    return this.#revocation.one(id);
  }

  async revokeAllOf(userId: string): Promise<number> {
    checkId(`${owner}.revokeAllOf`, 'userId', userId);
    return this.#revocation.allOf(userId);
  }

  async extend(id: TokenId, options: ExtendOptions): Promise<Date | undefined> {
    checkTokenId(`${owner}.extend`, 'id', id);
    const now = this.#operations.clock.now();
    const checked = checkedExtendOptions(`${owner}.extend`, options, now);
    try {
      const token = await this.#operations.run('extend a token', () => this.#renewal.extend(id, checked, now));
      if (token === undefined) return undefined;
      checkReadable(token);
      return endOf(token) ?? new Date(latestTime);
    } finally {
      // it may be about to end, and its channels have asked already
      this.revocations.tell({ tokenId: id, hint: true });
    }
  }

  /**
   * As the contract says. The new token takes the place of the old one under `maxPerUser`.
   *
   * @throws {TokenLimitError} (as a rejection) when the token was rotated before and its user has `maxPerUser` live tokens.
   */
  async rotate(id: TokenId, options: RotateOptions): Promise<IssuedToken | undefined> {
    checkTokenId(`${owner}.rotate`, 'id', id);
    const now = this.#operations.clock.now();
    const checked = checkedRotateOptions(`${owner}.rotate`, options, now);
    const key = makeTokenKey();
    const ids = { id, newId: tokenIdOf(key) };
    try {
      const token = await this.#operations.run('rotate a token', (signal) => this.#renewal.rotate(ids, checked, now, signal));
      return token && { key, id: ids.newId, userId: String(token.userId), ...(token.expiresAt && { expiresAt: token.expiresAt }) };
    } finally {
      // a hint, so that it does no harm where nothing was done
      this.revocations.tell({ tokenId: id, hint: true });
    }
  }

  async listOf(userId: string): Promise<TokenInfo[]> {
    checkId(`${owner}.listOf`, 'userId', userId);
    const filter = liveTokensOf(userId, new Date(this.#operations.clock.now()));
    const documents = await this.#operations.run('list tokens', (signal) =>
      this.#tokens.find(filter, { signal, readPreference: 'primary', sort: { createdAt: 1, _id: 1 } }).toArray(),
    );
    return documents.map(infoOf);
  }

  /** Forgets what the cache holds, so that the next look-up of each token asks the database. */
  clearCache(): void {
    this.#cache?.clear();
  }

  /** Writes down now when tokens were last used, which is otherwise done every few seconds. Never rejects. */
  flush(): Promise<void> {
    return this.#lastUsed.flush();
  }

  /** Writes down when tokens were last used. Look-ups go on working, but their use is not noted any more, and nothing is kept. */
  async close(): Promise<void> {
    await Promise.all([this.#lastUsed.close(), this.#cache?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isUsable({ user, expiresAt, revokedAt }: TokenGrant<User>): boolean {
    const now = this.#operations.clock.now();
    return user !== undefined && !(expiresAt && expiresAt.getTime() <= now) && !(revokedAt && revokedAt.getTime() <= now);
  }

  /** Tokens and their users, in one command. */
  async #query(ids: readonly TokenId[], signal: AbortSignal): Promise<Map<TokenId, Found<User> | Error>> {
    const pipeline = [{ $match: { _id: { $in: ids } } }, this.#users.lookup('userId', 'users')];
    // with room for one more than can come, the server is done with the first reply
    const options = { signal, readPreference: 'primary', batchSize: ids.length + 1 } as const;
    const rows = await rowsOf(this.#tokens.aggregate<TokenDocument & { users: Document[] }>(pipeline, options));
    const others = await this.#findOthers(rows, signal);
    const found = new Map<TokenId, Found<User> | Error>();
    const now = this.#operations.clock.now();
    await forEachWithPauses(rows, ({ users, ...document }) => {
      const userId = userIdOf(document.userId);
      const user = userId === undefined ? undefined : this.#users.userOf(userId, others.get(userId) ?? users);
      found.set(document._id as TokenId, user instanceof Error ? user : foundOf(document, user, now));
    });
    return found;
  }

  /** Users whose key is of another type than their token has it: one that `issue` did not write, or wrote before there was the user. */
  async #findOthers(rows: readonly (TokenDocument & { users: Document[] })[], signal: AbortSignal): Promise<Map<string, Document[]>> {
    const ids = rows.flatMap(({ users, userId }) => {
      const id = users.length === 0 ? userIdOf(userId) : undefined;
      return id !== undefined && keysOf(id).length > 1 ? [id] : [];
    });
    return ids.length === 0 ? new Map() : this.#users.find(ids, signal);
  }
}

/** An error is that of one token: the others of its batch are none the worse for it. */
function foundOf<User extends AuthenticatedUser>(document: TokenDocument, user: User | undefined, now: number): Found<User> | Error {
  try {
    return { document, grant: grantOf(document, user, now) };
  } catch (error) {
    return errorOf(error);
  }
}

function newCache<User extends AuthenticatedUser>(options: MongoTokenCacheOptions, own: MemoryRevocationFeed): TokenCache<Found<User>> {
  const { ttlMs = 5_000, maxTokens = 10_000, feed } = checkedOptions(`${owner}.cache`, options, cacheRules);
  return new TokenCache({ max: maxTokens, ttl: ttlMs }, own, feed);
}
