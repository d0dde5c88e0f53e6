import { checkId } from '../../src/check-id.js';
import { checkedIssueOptions } from '../../src/checked-issue-options.js';
import { aWallClock, checkedOptions, having } from '../../src/checked-options.js';
import { checkedExtendOptions, checkedRotateOptions } from '../../src/checked-renewal-options.js';
import type { Clock } from '../../src/contracts/clock.js';
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
import type { UserRepository } from '../../src/contracts/user-repository.js';
import { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { SweepPace } from '../../src/sweep-pace.js';
import { dayMs, latestTime } from '../../src/time/time-spans.js';
import { checkedTokenIds, checkTokenId, type TokenId, tokenIdOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { UnknownUserError } from '../../src/unknown-user-error.js';
import { unreadable, withUnreadable } from '../../src/unreadable.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { FeedOfBoth } from './feed-of-both.js';
import { type AddTokenOptions, endOf, grantOf, infoOf, isOver, lengthen, type MemoryToken, successorOf, tokenOf } from './memory-token.js';

/** Options of {@link MemoryTokenRepository}. */
export interface MemoryTokenRepositoryOptions<User extends AuthenticatedUser = AppUser> {
  /** Where the users of tokens are found; any repository serves. */
  readonly users: UserRepository<User>;
  /** Tells the time of issuing, use and revocation. @default the machine's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const rules = { users: having('a UserRepository', 'findById'), clock: aWallClock };

/** How long a token that expired or was revoked can still be found, so that a client learns why it is refused. */
const retentionMs = dayMs;
/** A use within this time of the last one is not noted. */
const lastUsedPrecisionMs = 60 * 1000;

const owner = 'MemoryTokenRepository';

/**
 * Issues tokens and finds their users, in this process. It keeps ids (digests), never keys.
 *
 * An expired or revoked token can be found as such for 24 hours. After that it is unknown.
 */
export class MemoryTokenRepository<User extends AuthenticatedUser = AppUser> implements TokenRepository<User>, TokenIssuer {
  /** Tells of the tokens that end here (of rotated and extended ones by a hint), and of users if their repository tells of them. */
  readonly revocations: RevocationFeed;
  readonly #ended = new MemoryRevocationFeed();
  readonly #users: UserRepository<User>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tokens = new Map<TokenId, MemoryToken>();
  readonly #pace = new SweepPace();

  /** @throws {TypeError} when an option is missing or out of its range. */
  constructor(options: MemoryTokenRepositoryOptions<User>) {
    const { users, clock = Date } = checkedOptions(owner, options, rules, 'users');
    this.revocations = users.revocations ? new FeedOfBoth(this.#ended, users.revocations) : this.#ended;
    this.#users = users;
    this.#clock = clock;
  }

  async findById(id: TokenId): Promise<TokenGrant<User> | undefined> {
    checkTokenId(`${owner}.findById`, 'id', id);
    const token = this.#find(id);
    if (!token) return undefined;
    const user = await this.#users.findById(token.userId);
    // only now: it may have been revoked while the user was looked up
    if (user) this.#noteUse(token);
    this.#heedReplay(token);
    return grantOf(token, user);
  }

  /** As the contract says. It is meant for checking tokens again, so it does not count as their use. */
  async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, TokenGrant<User>>> {
    const tokens = new Map<TokenId, MemoryToken>();
    for (const id of checkedTokenIds(`${owner}.findByIds`, ids)) {
      const token = this.#find(id);
      if (token) tokens.set(id, token);
    }
    const users = await this.#findUsers(new Set(Array.from(tokens.values(), (token) => token.userId)));
    return new Map(Array.from(tokens, ([id, token]) => [id, grantOf(token, users.get(token.userId))]));
  }

  async issue(userId: string, options: IssueOptions = {}): Promise<IssuedToken> {
    checkId(`${owner}.issue`, 'userId', userId);
    const checked = checkedIssueOptions(`${owner}.issue`, options, this.#clock.now());
    if (!(await this.#users.findById(userId))) throw new UnknownUserError(`${owner}.issue`);
    const key = makeTokenKey();
    const token = this.#insert('issue', key, userId, checked);
    return issued(key, token);
  }

  /**
   * Adds a token whose key exists already, for example from Django REST framework. The key itself is not kept.
   *
   * @throws {TypeError} when `key` is not a key (16 to 512 characters of `[A-Za-z0-9._~+/=-]`) or is known here already, `userId` is empty,
   * or an option is out of its range.
   */
  add(key: string, userId: string, options: AddTokenOptions = {}): TokenId {
    return this.#insert('add', key, userId, options).id;
  }

  async revoke(id: TokenId): Promise<boolean> {
    checkTokenId(`${owner}.revoke`, 'id', id);
    const token = this.#find(id);
    const isNew = token !== undefined && token.revokedAt === undefined;
    if (token) this.#end([token, ...this.#chainOf(token)]);
    return isNew;
  }

  async revokeAllOf(userId: string): Promise<number> {
    checkId(`${owner}.revokeAllOf`, 'userId', userId);
    const live = this.#liveOf(userId, this.#clock.now());
    // channels may live by the others until it is seen that their grace is over
    const rotated = Array.from(this.#tokens.values()).filter((token) => token.userId === userId && token.successorId !== undefined);
    this.#end([...live, ...rotated]);
    return live.length;
  }

  async extend(id: TokenId, options: ExtendOptions): Promise<Date | undefined> {
    checkTokenId(`${owner}.extend`, 'id', id);
    const now = this.#clock.now();
    const checked = checkedExtendOptions(`${owner}.extend`, options, now);
    const token = this.#find(id);
    if (!token || isOver(token, now)) return undefined;
    lengthen(token, checked, now);
    this.#ended.tell({ tokenId: id, hint: true }); // it may be about to end, and its channels have asked already
    return new Date(endOf(token) ?? latestTime);
  }

  async rotate(id: TokenId, options: RotateOptions): Promise<IssuedToken | undefined> {
    checkTokenId(`${owner}.rotate`, 'id', id);
    const now = this.#clock.now();
    const checked = checkedRotateOptions(`${owner}.rotate`, options, now);
    const token = this.#find(id);
    if (!token || isOver(token, now)) return undefined;
    const key = makeTokenKey();
    const successor = successorOf(token, tokenIdOf(key), checked, now);
    if (successor === undefined) return undefined;
    this.#put(successor, now);
    this.#ended.tell({ tokenId: id, hint: true });
    return issued(key, successor);
  }

  async listOf(userId: string): Promise<TokenInfo[]> {
    checkId(`${owner}.listOf`, 'userId', userId);
    return this.#liveOf(userId, this.#clock.now())
      .sort((one, other) => one.createdAt - other.createdAt)
      .map(infoOf);
  }

  #insert(method: string, key: string, userId: string, options: AddTokenOptions): MemoryToken {
    const caller = `${owner}.${method}`;
    checkId(caller, 'userId', userId);
    const id = tokenIdOf(key);
    const now = this.#clock.now();
    const token = tokenOf(caller, id, userId, options, now);
    if (this.#find(id)) throw new TypeError(`${caller}: key must be a new one, got one that is known already`);
    this.#put(token, now);
    return token;
  }

  #put(token: MemoryToken, now: number): void {
    this.#sweep(now);
    this.#tokens.set(token.id, token);
  }

  /** All of them are revoked before anybody is told of one. */
  #end(tokens: Iterable<MemoryToken>): void {
    const ended = new Set(Array.from(tokens).filter(({ revokedAt }) => revokedAt === undefined));
    const now = this.#clock.now();
    for (const token of ended) token.revokedAt = now;
    for (const { id } of ended) this.#ended.tell({ tokenId: id });
  }

  /** The tokens that were rotated into one another, this one among them. */
  #chainOf({ chainId }: MemoryToken): MemoryToken[] {
    return chainId === undefined ? [] : Array.from(this.#tokens.values()).filter((token) => token.chainId === chainId);
  }

  /** A key that was rotated and is used after its grace is in the wrong hands, or its successor is. */
  #heedReplay(token: MemoryToken): void {
    if (token.successorId === undefined || token.revokedAt !== undefined || !isOver(token, this.#clock.now())) return;
    this.#end(this.#chainOf(token));
  }

  /** The token, unless it ended too long ago. */
  #find(id: TokenId): MemoryToken | undefined {
    const token = this.#tokens.get(id);
    if (!token || !isOver(token, this.#clock.now() - retentionMs)) return token;
    this.#tokens.delete(id);
    return undefined;
  }

  /** Drops what ended too long ago. */
  #sweep(now: number): void {
    this.#pace.added();
    if (!this.#pace.isDue(this.#tokens.size)) return;
    for (const [id, token] of this.#tokens) if (isOver(token, now - retentionMs)) this.#tokens.delete(id);
  }

  #liveOf(userId: string, now: number): MemoryToken[] {
    return Array.from(this.#tokens.values()).filter((token) => token.userId === userId && !isOver(token, now));
  }

  #noteUse(token: MemoryToken): void {
    const now = this.#clock.now();
    if (isOver(token, now)) return;
    if (token.lastUsedAt === undefined || now - token.lastUsedAt >= lastUsedPrecisionMs) token.lastUsedAt = now;
  }

  async #findUsers(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, User>> {
    if (this.#users.findByIds) return this.#users.findByIds([...ids]);
    const found = new Map<string, User>();
    const failures = new Map<string, unknown>();
    await Promise.all(
      Array.from(ids, async (id) => {
        try {
          const user = await this.#users.findById(id);
          if (user) found.set(id, user);
        } catch (error) {
          failures.set(id, error);
        }
      }),
    );
    return withUnreadable([...ids], { found, failures }, (_id, error) => unreadable<User>({}, 'id', error));
  }
}

function issued(key: string, { id, userId, expiresAt }: MemoryToken): IssuedToken {
  return { key, id, userId, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }) };
}
