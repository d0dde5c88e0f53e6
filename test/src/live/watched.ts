import { expect, onTestFinished } from 'vitest';
import {
  type ChannelError,
  type ChannelHandlers,
  ChannelServer,
  type ChannelServerOptions,
  type Clock,
  type FeedHealth,
  type Revocation,
  type RevocationFeed,
  type TokenGrant,
  type TokenId,
  type TokenRepository,
  tokenIdOf,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import { MemoryRevocationFeed } from '../../../src/feeds/memory-revocation-feed.js';

/** The key of the token that is called `name`. */
export const keyOf = (name: string): string => `${name}-${'0'.repeat(40)}`.slice(0, 40);
export const idOf = (name: string): TokenId => tokenIdOf(keyOf(name));

/** A repository of tokens with a script: what it is asked, what it answers, and whether it answers at all. */
export class ScriptedTokens implements TokenRepository {
  readonly grants = new Map<TokenId, TokenGrant>();
  /** The ids of each question, those of `findById` one by one. */
  readonly asked: (readonly TokenId[])[] = [];
  readonly revocations = new MemoryRevocationFeed();
  findByIds?: (ids: readonly TokenId[]) => Promise<ReadonlyMap<TokenId, TokenGrant>>;
  /** What each answer waits for. */
  answers: Promise<unknown> = Promise.resolve();

  constructor(isBatched = true) {
    if (!isBatched) return;
    this.findByIds = async (ids) => {
      this.asked.push(ids);
      await this.answers;
      return new Map(ids.flatMap((id) => (this.grants.has(id) ? [[id, this.grants.get(id) as TokenGrant]] : [])));
    };
  }

  async findById(id: TokenId): Promise<TokenGrant | undefined> {
    this.asked.push([id]);
    await this.answers;
    return this.grants.get(id);
  }

  /** A token of `user`, which is called as its user unless a name is given. */
  put(user: string, others: Partial<TokenGrant> = {}, name: string = user): TokenId {
    const id = idOf(name);
    this.grants.set(id, { id, user: { id: user, isAuthenticated: true }, ...others });
    return id;
  }

  /** Every question fails from now on, or none. */
  fails(doFail: boolean): void {
    this.answers = doFail ? Promise.reject(new Error('the database is gone')) : Promise.resolve();
    this.answers.catch(() => undefined);
  }
}

/** A server whose channels are watched, with a clock that a test moves. */
export interface Watched {
  readonly clock: TestClock;
  readonly tokens: ScriptedTokens;
  readonly server: ChannelServer;
  readonly errors: unknown[];
  readonly warnings: ChannelError[];
  /** A client that presents the token called `name`. */
  connect(name: string): Promise<TestClient>;
  /** The same with a new token, of the user of that name. */
  logIn(name: string, grant?: Partial<TokenGrant>): Promise<TestClient>;
}

export interface WatchOptions extends Omit<ChannelServerOptions, 'clock'> {
  readonly tokens?: ScriptedTokens;
  readonly handlers?: Omit<ChannelHandlers, 'connect'>;
  /** The server's clock, made of that which the test moves. */
  readonly clockOf?: (clock: TestClock) => Clock;
}

/** Closes `server` with the test: none of its timers may be left. */
export function closeWithTest(server: ChannelServer, clock: TestClock): void {
  onTestFinished(async () => {
    const closed = server.close({ timeoutMs: 0 });
    await clock.advance(0);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });
}

export function watch({
  tokens = new ScriptedTokens(),
  handlers = {},
  clockOf = (clock) => clock,
  ...options
}: WatchOptions = {}): Watched {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const warnings: ChannelError[] = [];
  const server = new ChannelServer(
    { connect: withUserFromToken({ tokens })(() => undefined), ...handlers },
    { clock: clockOf(clock), onError: (error) => void errors.push(error), onWarning: (warning) => void warnings.push(warning), ...options },
  );
  closeWithTest(server, clock);
  const connect = (name: string): Promise<TestClient> => connectTo(server, { cookies: { key: keyOf(name) } });
  return {
    clock,
    tokens,
    server,
    errors,
    warnings,
    connect,
    logIn(name, grant) {
      tokens.put(name, grant);
      return connect(name);
    },
  };
}

/** A feed that a test holds in its hand. */
export class ScriptedFeed implements RevocationFeed {
  /** What each subscription waits for. */
  opening: Promise<unknown> = Promise.resolve();
  subscriptions = 0;
  readonly published: Revocation[] = [];
  tell: (revocation: Revocation) => void = () => undefined;
  gap: () => void = () => undefined;
  health: FeedHealth | undefined;
  ended = 0;

  async subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    this.subscriptions += 1;
    await this.opening;
    this.tell = on;
    this.gap = onGap;
    this.health = health;
    return {
      [Symbol.asyncDispose]: async () => {
        this.ended += 1;
      },
    };
  }

  async publish(revocation: Revocation): Promise<void> {
    this.published.push(revocation);
    this.tell(revocation);
  }
}

export const expired = { code: 3000, reason: 'token expired' };
export const revoked = { code: 3000, reason: 'token revoked' };
export const inactive = { code: 3000, reason: 'user inactive' };
export const sessionEnded = { code: 3000, reason: 'session ended' };
export const stale = { code: 1013, reason: 'try again later' };
