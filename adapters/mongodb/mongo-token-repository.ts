import { LRUCache } from 'lru-cache';
import type { Collection, Db, Document, Filter } from 'mongodb';
import { checkId } from '../../src/check-id.js';
import { checkIssueOptions } from '../../src/check-issue-options.js';
import { aFlag, aName, anInteger, anObject, checkedOptions, type Rules } from '../../src/checked-options.js';
import type {
  IssuedToken,
  IssueOptions,
  TokenGrant,
  TokenInfo,
  TokenIssuer,
  TokenRepository,
} from '../../src/contracts/token-repository.js';
import { checkedTokenIds, checkTokenId, type TokenId, tokenIdOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { UnknownUserError } from '../../src/unknown-user-error.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { Batches, maxBatchSize } from './batches.js';
import { checkDb } from './check-db.js';
import { LastUsed } from './last-used.js';
import { Operations } from './operations.js';
import { type MongoOptions, mongoRules } from './options.js';
import { grantOf, infoOf, newToken, retentionMs, type TokenDocument } from './token-document.js';
import { liveTokensOf } from './token-filters.js';
import { TokenSlots } from './token-slots.js';
import { keysOf, type MongoUserOptions, UserDocuments, type UserKey } from './users.js';

/** Keeps what was found for a moment. A revocation by another process is seen after that moment only. */
export interface MongoTokenCacheOptions {
  /** How long a look-up may be answered from memory, in milliseconds, from 1 to 60_000. @default 5_000 */
  readonly ttlMs?: number | undefined;
  /** How many tokens are kept at most, at least 1; the least recently used goes first. @default 10_000 */
  readonly maxTokens?: number | undefined;
}

/** Options of {@link MongoTokenRepository}. */
export interface MongoTokenOptions<User extends AuthenticatedUser = AppUser> extends MongoOptions {
  /** The collection that holds the tokens. @default 'tokens' */
  readonly collection?: string | undefined;
  /** Where the users of tokens are. */
  readonly users?: MongoUserOptions<User> | undefined;
  /** How many live tokens a user may have, at least 1; one more is refused with {@link TokenLimitError}. @default no limit */
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
  ...mongoRules,
  collection: aName,
  users: anObject,
  maxPerUser: anInteger(1, 10_000),
  cache: { must: 'true, false or an object', accepts: (value) => aFlag.accepts(value) || anObject.accepts(value) },
};
const cacheRules: Rules<MongoTokenCacheOptions> = { ttlMs: anInteger(1, 60_000), maxTokens: anInteger(1, 2_147_483_647) };

/**
 * Finds the users of tokens in MongoDB, token and user in one round trip, and issues tokens. It keeps ids (digests), never keys.
 *
 * A token that expired or was revoked can be found as such for 24 hours at least. Rejects with a `TimeoutError` after `timeoutMs`.
 */
export class MongoTokenRepository<User extends AuthenticatedUser = AppUser> implements TokenRepository<User>, TokenIssuer, AsyncDisposable {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #tokens: Collection<TokenDocument>;
  readonly #users: UserDocuments<User>;
  readonly #operations: Operations;
  readonly #lookups: Batches<Found<User>>;
  readonly #userKeys: Batches<UserKey>;
  readonly #lastUsed: LastUsed;
  readonly #slots: TokenSlots | undefined;
  readonly #cache: LRUCache<string, Found<User>> | undefined;
  /** Grows with each revocation: what was asked for before one is not kept after it. */
  #revocations = 0;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoTokenOptions<User> = {}) {
    const checked = checkedOptions(owner, options, tokenRules);
    const { collection = 'tokens', users, maxPerUser, cache } = checked;
    this.#tokens = checkDb(owner, db).collection<TokenDocument>(collection);
    this.#users = new UserDocuments(`${owner}.users`, db, users);
    this.#operations = new Operations(checked);
    this.timeoutMs = this.#operations.timeoutMs;
    this.#lookups = new Batches((ids) => this.#operations.run('find tokens', (signal) => this.#query(ids, signal)));
    this.#userKeys = new Batches((ids) => this.#operations.run('find users', (signal) => this.#users.keysOf(ids, signal)));
    this.#lastUsed = new LastUsed(this.#tokens, this.#operations);
    if (maxPerUser !== undefined) this.#slots = new TokenSlots(this.#tokens, maxPerUser);
    if (cache) this.#cache = newCache(cache === true ? {} : cache);
  }

  async findById(id: TokenId): Promise<TokenGrant<User> | undefined> {
    checkTokenId(`${owner}.findById`, 'id', id);
    const found = this.#cache?.get(id) ?? (await this.#lookUp(id));
    if (found === undefined) return undefined;
    if (this.#isUsable(found.grant)) this.#lastUsed.note(found.document);
    return found.grant;
  }

  /** As the contract says. It is meant for checking tokens again: it asks the database anew and does not count as their use. */
  async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, TokenGrant<User>>> {
    const checked = checkedTokenIds(`${owner}.findByIds`, ids);
    const grants = new Map<TokenId, TokenGrant<User>>();
    for (let start = 0; start < checked.length; start += maxBatchSize) {
      const some = checked.slice(start, start + maxBatchSize);
      for (const [id, found] of await this.#operations.run('find tokens', (signal) => this.#query(some, signal))) {
        if (found instanceof Error) throw found;
        grants.set(id as TokenId, found.grant);
      }
    }
    return grants;
  }

  /**
   * As the contract says.
   *
   * @throws {TokenLimitError} (as a rejection) when the user has `maxPerUser` live tokens.
   */
  async issue(userId: string, options: IssueOptions = {}): Promise<IssuedToken> {
    checkId(`${owner}.issue`, 'userId', userId);
    const now = this.#operations.clock.now();
    const checked = checkIssueOptions(`${owner}.issue`, options, now);
    const key = makeTokenKey();
    const token = await this.#operations.run('issue a token', async (signal) => {
      const userKey = await this.#userKeys.find(userId, signal);
      if (userKey === undefined) throw new UnknownUserError(`${owner}.issue`);
      const token = newToken(tokenIdOf(key), userKey, checked, now);
      if (this.#slots) await this.#slots.insert(token, signal);
      else await this.#tokens.insertOne(token);
      return token;
    });
    return { key, id: tokenIdOf(key), userId, ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }) };
  }

  async revoke(id: TokenId): Promise<boolean> {
    checkTokenId(`${owner}.revoke`, 'id', id);
    return (await this.#revoke({ _id: id, userId: { $exists: true }, revokedAt: { $exists: false } })) > 0;
  }

  async revokeAllOf(userId: string): Promise<number> {
    checkId(`${owner}.revokeAllOf`, 'userId', userId);
    return this.#revoke(liveTokensOf(userId, this.#now()));
  }

  async listOf(userId: string): Promise<TokenInfo[]> {
    checkId(`${owner}.listOf`, 'userId', userId);
    const filter = liveTokensOf(userId, this.#now());
    const documents = await this.#operations.run('list tokens', (signal) =>
      this.#tokens.find(filter, { signal, readPreference: 'primary', sort: { createdAt: 1, _id: 1 } }).toArray(),
    );
    return documents.map(infoOf);
  }

  /** Forgets what the cache holds, so that the next look-up of each token asks the database. */
  clearCache(): void {
    this.#revocations += 1;
    this.#cache?.clear();
  }

  /** Writes down now when tokens were last used, which is otherwise done every few seconds. Never rejects. */
  flush(): Promise<void> {
    return this.#lastUsed.flush();
  }

  /** Writes down when tokens were last used. Look-ups go on working, but their use is not noted any more. */
  close(): Promise<void> {
    return this.#lastUsed.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #now(): Date {
    return new Date(this.#operations.clock.now());
  }

  #isUsable({ user, expiresAt, revokedAt }: TokenGrant<User>): boolean {
    const now = this.#operations.clock.now();
    return user !== undefined && !(expiresAt && expiresAt.getTime() <= now) && !(revokedAt && revokedAt.getTime() <= now);
  }

  async #lookUp(id: string): Promise<Found<User> | undefined> {
    const revocations = this.#revocations;
    const found = await this.#operations.run('find a token', (signal) => this.#lookups.find(id, signal));
    if (found !== undefined && revocations === this.#revocations) this.#cache?.set(id, found);
    return found;
  }

  /** Tokens and their users, in one command. */
  async #query(ids: readonly string[], signal: AbortSignal): Promise<Map<string, Found<User> | Error>> {
    const pipeline = [{ $match: { _id: { $in: ids } } }, this.#users.lookup('userId', 'users')];
    // With room for one more than can come, the server is done with the first reply.
    const options = { signal, readPreference: 'primary', batchSize: ids.length + 1 } as const;
    const rows = await this.#tokens.aggregate<TokenDocument & { users: Document[] }>(pipeline, options).toArray();
    const others = await this.#findOthers(rows, signal);
    const found = new Map<string, Found<User> | Error>();
    for (const { users, ...document } of rows) {
      const userId = String(document.userId);
      const user = this.#users.userOf(userId, others.get(userId) ?? users);
      found.set(document._id, user instanceof Error ? user : foundOf(document, user));
    }
    return found;
  }

  /** Users whose key is of another type than their token has it: one that `issue` did not write, or wrote before there was the user. */
  async #findOthers(rows: readonly (TokenDocument & { users: Document[] })[], signal: AbortSignal): Promise<Map<string, Document[]>> {
    const ids = rows.flatMap(({ users, userId }) => (users.length === 0 && keysOf(String(userId)).length > 1 ? [String(userId)] : []));
    return ids.length === 0 ? new Map() : this.#users.find(ids, signal);
  }

  async #revoke(filter: Filter<TokenDocument>): Promise<number> {
    const now = this.#now();
    // An imported token is kept: were it removed, the next import would bring it back to life.
    const removeAt = { $cond: [{ $eq: [{ $type: '$importedFrom' }, 'missing'] }, new Date(now.getTime() + retentionMs), '$$REMOVE'] };
    const update = [{ $set: { revokedAt: now, removeAt } }, { $unset: 'slot' }];
    try {
      const write = () => this.#tokens.updateMany(filter, update, { writeConcern: { w: 'majority' } });
      const { modifiedCount } = await this.#operations.run('revoke tokens', write);
      return modifiedCount;
    } finally {
      this.clearCache();
    }
  }
}

/** An error is that of one token: the others of its batch are none the worse for it. */
function foundOf<User extends AuthenticatedUser>(document: TokenDocument, user: User | undefined): Found<User> | Error {
  try {
    return { document, grant: grantOf(document, user) };
  } catch (error) {
    return error as Error;
  }
}

function newCache<Value extends object>(options: MongoTokenCacheOptions): LRUCache<string, Value> {
  const { ttlMs = 5_000, maxTokens = 10_000 } = checkedOptions(`${owner}.cache`, options, cacheRules);
  return new LRUCache<string, Value>({
    max: maxTokens,
    ttl: ttlMs,
  });
}
