import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryHttpSessionReader, MemoryRevocationFeed, MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import type { HttpSession } from '../../src/contracts/http-session-reader.js';
import type {
  ExtendOptions,
  IssuedToken,
  IssueOptions,
  RotateOptions,
  TokenGrant,
  TokenInfo,
} from '../../src/contracts/token-repository.js';
import { isTokenId, isTokenKey, type TokenId, tokenIdOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { UnknownUserError } from '../../src/unknown-user-error.js';
import type { AuthenticatedUser } from '../../src/users.js';

type Grant = TokenGrant<AuthenticatedUser>;

/** What would identify the wrong ones, or identify too long. */
export const tokenRepositories = {
  /** Rejects what it does not know, as the original's `DoesNotExist`. */
  ThrowsForUnknown: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = await super.findById(id);
      if (!grant) throw new Error('no such token');
      return grant;
    }
  },
  /** Keeps keys beside their digests. */
  TakesKeysForIds: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = await super.findById(id);
      return grant ?? (isTokenKey(id) ? super.findById(tokenIdOf(id)) : undefined);
    }
  },
  /** Hands what is no id on, as a query that finds nothing. */
  TakesAnyId: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      return isTokenId(id) ? super.findById(id) : undefined;
    }
  },
  /** Looks at the first id of a list only. */
  ChecksTheFirstIdOnly: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, Grant>> {
      if (!Array.isArray(ids)) throw new TypeError('no list');
      return super.findByIds(isTokenId(ids[0]) ? ids.filter(isTokenId) : ids);
    }
  },
  /** Forgets to say when a token ended. */
  DropsTimes: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = await super.findById(id);
      return grant && { id: grant.id, user: grant.user, scopes: grant.scopes };
    }
  },
  /** Gives a user for every token, deleted or not. */
  InventsUsers: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = await super.findById(id);
      return grant && { ...grant, user: grant.user ?? { id: 'deleted', isAuthenticated: true } };
    }
  },
  /** Answers look-ups that arrive together with the first one's grant. */
  MixesUpLookups: class extends MemoryTokenRepository<AuthenticatedUser> {
    #pending: Promise<Grant | undefined> | undefined;
    override findById(id: TokenId): Promise<Grant | undefined> {
      this.#pending ??= super.findById(id).finally(() => {
        this.#pending = undefined;
      });
      return this.#pending;
    }
  },
  /** Hands out one and the same grant. */
  SharesGrants: class extends MemoryTokenRepository<AuthenticatedUser> {
    readonly #grants = new Map<TokenId, Grant | undefined>();
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = this.#grants.get(id) ?? (await super.findById(id));
      this.#grants.set(id, grant);
      return grant;
    }
  },
  /** Batches without leaving out what is unknown. */
  FillsBatches: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, Grant>> {
      const found = await super.findByIds(ids);
      return new Map(ids.map((id) => [id, found.get(id) ?? { id, user: undefined }]));
    }
  },
};

/** What would let tokens live on, or show their keys. */
export const tokenIssuers = {
  TakesAnyOption: class extends MemoryTokenRepository<AuthenticatedUser> {
    override issue(userId: string, { ttlMs, label, scopes }: IssueOptions = {}): Promise<IssuedToken> {
      const options = Number.isInteger(ttlMs) && ttlMs! > 0 ? { ttlMs } : {};
      return super.issue(userId, { ...options, label: label && String(label), scopes: Array.isArray(scopes) ? scopes.map(String) : [] });
    }
  },
  /** Makes tokens for whomever it is told, as a table without a foreign key does. */
  IssuesToNobody: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async issue(userId: string, options?: IssueOptions): Promise<IssuedToken> {
      return super.issue(userId, options).catch((error: unknown) => {
        if (!(error instanceof UnknownUserError)) throw error;
        const key = makeTokenKey();
        return { key, id: this.add(key, userId), userId };
      });
    }
  },
  /** Asks its database whatever it is asked. */
  RevokesWhatMatches: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async revoke(id: TokenId): Promise<boolean> {
      return typeof id === 'object' ? false : super.revoke(id);
    }
    override async revokeAllOf(userId: string): Promise<number> {
      return super.revokeAllOf(String((userId as { $eq?: string } | null | undefined)?.$eq ?? userId) || 'nobody');
    }
  },
  IgnoresTtl: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async issue(userId: string, options: IssueOptions = {}): Promise<IssuedToken> {
      const token = await super.issue(userId, { ...options, ttlMs: undefined });
      return options.ttlMs === undefined ? token : { ...token, expiresAt: new Date(Date.now() + options.ttlMs) };
    }
  },
  AlwaysRevokes: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async revoke(id: TokenId): Promise<boolean> {
      await super.revoke(id);
      return true;
    }
  },
  NeverRevokes: class extends MemoryTokenRepository<AuthenticatedUser> {
    readonly #revoked = new Set<TokenId>();
    override async revoke(id: TokenId): Promise<boolean> {
      const known = (await super.findById(id)) !== undefined && !this.#revoked.has(id);
      this.#revoked.add(id);
      return known;
    }
  },
  RevokesEverybody: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async revokeAllOf(userId: string): Promise<number> {
      for (let other = 1; other <= 5; other += 1) if (`user-${other}` !== userId) await super.revokeAllOf(`user-${other}`);
      return super.revokeAllOf(userId);
    }
  },
  /** Compares as the database does by default, which passes over spaces at the end. */
  TrimsUserIds: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async revokeAllOf(userId: string): Promise<number> {
      return super.revokeAllOf(typeof userId === 'string' ? userId.trimEnd() : userId);
    }
  },
  ListsNewestFirst: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async listOf(userId: string): Promise<TokenInfo[]> {
      return (await super.listOf(userId)).reverse();
    }
  },
  ShowsKeys: class extends MemoryTokenRepository<AuthenticatedUser> {
    readonly #keys = new Map<TokenId, string>();
    override async issue(userId: string, options?: IssueOptions): Promise<IssuedToken> {
      const token = await super.issue(userId, options);
      this.#keys.set(token.id, token.key);
      return token;
    }
    override async listOf(userId: string): Promise<TokenInfo[]> {
      return (await super.listOf(userId)).map((info) => ({ ...info, key: this.#keys.get(info.id) }));
    }
  },
};

/** What would let renewed tokens live for ever, or thieves keep them. */
export const tokenRenewers = {
  /** Has live channels looked up as if their keys were used. */
  LooksUpOneAtATime: class extends MemoryTokenRepository<AuthenticatedUser> {
    constructor(...options: ConstructorParameters<typeof MemoryTokenRepository<AuthenticatedUser>>) {
      super(...options);
      Object.defineProperty(this, 'findByIds', { value: undefined });
    }
  },
  /** Counts from now, whatever there was. */
  ShortensLives: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async extend(id: TokenId, options: ExtendOptions): Promise<Date | undefined> {
      const end = await super.extend(id, options);
      const fromNow = Date.now() + options.ttlMs; // a moment later than the end that is right
      return end && (Math.abs(fromNow - end.getTime()) < 60_000 ? end : new Date(fromNow));
    }
  },
  /** Asks by the user, not by the token. */
  ExtendsAllOfTheUser: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async extend(id: TokenId, options: ExtendOptions): Promise<Date | undefined> {
      const end = await super.extend(id, options);
      const userId = end && (await this.findById(id))?.user?.id;
      for (const token of userId === undefined ? [] : await this.listOf(userId)) {
        if (token.id !== id) await super.extend(token.id, options); // itself a moment later would be another end
      }
      return end;
    }
  },
  ExtendsTheDead: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async extend(id: TokenId, options: ExtendOptions): Promise<Date | undefined> {
      return (await super.extend(id, options)) ?? new Date(Date.now() + options.ttlMs);
    }
  },
  IgnoresAge: class extends MemoryTokenRepository<AuthenticatedUser> {
    override extend(id: TokenId, { maxAgeMs: _, ...options }: ExtendOptions): Promise<Date | undefined> {
      return super.extend(id, options);
    }
    override rotate(id: TokenId, { maxAgeMs: _, ...options }: RotateOptions): Promise<IssuedToken | undefined> {
      return super.rotate(id, options);
    }
  },
  EndsAtOnce: class extends MemoryTokenRepository<AuthenticatedUser> {
    override rotate(id: TokenId, options: RotateOptions): Promise<IssuedToken | undefined> {
      return super.rotate(id, { ...options, graceMs: Math.min(0, options.graceMs) });
    }
  },
  /** Makes a token beside the old one, which nothing binds to it. */
  IssuesAnother: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async rotate(id: TokenId, { ttlMs }: RotateOptions): Promise<IssuedToken | undefined> {
      const grant = await super.findById(id);
      return grant?.user && super.issue(grant.user.id, { ttlMs, scopes: grant.scopes });
    }
  },
  IgnoresReplays: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      return (await super.findByIds([id])).get(id);
    }
  },
  /** Takes a sweep for a use. */
  SeesReplaysInSweeps: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findByIds(ids: readonly TokenId[]): Promise<ReadonlyMap<TokenId, Grant>> {
      const grants = await super.findByIds(ids);
      for (const id of grants.keys()) await super.findById(id);
      return grants;
    }
  },
  NamesNoSuccessor: class extends MemoryTokenRepository<AuthenticatedUser> {
    override async findById(id: TokenId): Promise<Grant | undefined> {
      const grant = await super.findById(id);
      return grant && { ...grant, successorId: undefined };
    }
  },
  TellsNothing: class extends MemoryTokenRepository<AuthenticatedUser> {
    override readonly revocations: MemoryRevocationFeed = new MemoryRevocationFeed();
  },
};

/** What would find the wrong user. */
export const userRepositories = {
  /** Has the id made a string by its library. */
  TakesAnyId: class extends MemoryUserRepository<AuthenticatedUser> {
    override findById(id: string): Promise<AuthenticatedUser | undefined> {
      return super.findById(typeof id === 'symbol' ? id : String(id));
    }
  },
  ThrowsForUnknown: class extends MemoryUserRepository<AuthenticatedUser> {
    override async findById(id: string): Promise<AuthenticatedUser | undefined> {
      const user = await super.findById(id);
      if (!user) throw new Error('no such user');
      return user;
    }
  },
  /** Passes over spaces at the end, as columns of some databases do. */
  TrimsIds: class extends MemoryUserRepository<AuthenticatedUser> {
    override findById(id: string): Promise<AuthenticatedUser | undefined> {
      return super.findById(typeof id === 'string' ? id.trimEnd() : id);
    }
  },
  /** Makes a number of it, and passes over what follows. */
  TakesBeginnings: class extends MemoryUserRepository<AuthenticatedUser> {
    override findById(id: string): Promise<AuthenticatedUser | undefined> {
      return super.findById(typeof id === 'string' ? id.replace(/^(user-\d+).*$/, '$1') : id);
    }
  },
  /** Asks the database once for each user. */
  Remembers: class extends MemoryUserRepository<AuthenticatedUser> {
    readonly #known = new Map<string, AuthenticatedUser>();
    override async findById(id: string): Promise<AuthenticatedUser | undefined> {
      const user = (await super.findById(id)) ?? this.#known.get(id);
      if (user !== undefined) this.#known.set(id, user);
      return user;
    }
  },
  NeverDeletes: class extends MemoryUserRepository<AuthenticatedUser> {
    override delete(): boolean {
      return true;
    }
  },
  PlainObject: class extends MemoryUserRepository<AuthenticatedUser> {
    override async findById(id: string): Promise<AuthenticatedUser | undefined> {
      return (await super.findById(id)) ?? ({} as Record<string, AuthenticatedUser>)[id];
    }
  },
  FillsBatches: class extends MemoryUserRepository<AuthenticatedUser> {
    override async findByIds(ids: readonly string[]): Promise<ReadonlyMap<string, AuthenticatedUser>> {
      return new Map(ids.map((id) => [id, { id, isAuthenticated: true }]));
    }
  },
};

/** What would take another cookie for the session, or bring it back to life. */
export const httpSessionReaders = {
  /** Takes the cookie's name as headers' names are taken. */
  IgnoresCase: class extends MemoryHttpSessionReader {
    override read({ headers }: IncomingMessage): Promise<HttpSession | undefined> {
      const cookie = headers.cookie?.replace(/\bsessionid=/i, 'sessionid=');
      return super.read({ headers: { cookie } } as IncomingMessage);
    }
  },
  /** Gives whoever asks meanwhile what the first one asked for. */
  SharesReads: class extends MemoryHttpSessionReader {
    #reading: Promise<HttpSession | undefined> | undefined;
    override async read(request: IncomingMessage): Promise<HttpSession | undefined> {
      this.#reading ??= super.read(request);
      const [session] = await Promise.all([this.#reading, nextTurn()]);
      this.#reading = undefined;
      return session;
    }
  },
  /** Has a user's new session end the one before. */
  KeepsOnePerUser: class extends MemoryHttpSessionReader {
    readonly #last = new Map<string | undefined, string>();
    override create(userId: string | undefined, data?: Readonly<Record<string, unknown>>): string {
      const id = super.create(userId, data);
      this.destroy(this.#last.get(userId) ?? 'none');
      this.#last.set(userId, id);
      return id;
    }
  },
  /** Takes what is no id for one that is unknown. */
  TakesAnyId: class extends MemoryHttpSessionReader {
    override async readById(id: string): Promise<HttpSession | undefined> {
      return typeof id === 'string' && id !== '' ? super.readById(id) : undefined;
    }
  },
  /** Finds the cookie as the original finds its key. */
  SearchesTheHeader: class extends MemoryHttpSessionReader {
    override async read(request: IncomingMessage): Promise<HttpSession | undefined> {
      const [, id] = /sessionid=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
      return id === undefined ? undefined : this.readById(id);
    }
  },
  CreatesSessions: class extends MemoryHttpSessionReader {
    override async readById(id: string): Promise<HttpSession | undefined> {
      return (await super.readById(id)) ?? super.readById(this.create(undefined));
    }
  },
  SavesNothing: class extends MemoryHttpSessionReader {
    override async readById(id: string): Promise<HttpSession | undefined> {
      const session = await super.readById(id);
      return session && { id, userId: session.userId, data: session.data, save: async () => {} };
    }
  },
  GivesOneObject: class extends MemoryHttpSessionReader {
    readonly #sessions = new Map<string, HttpSession>();
    override async readById(id: string): Promise<HttpSession | undefined> {
      const session = await super.readById(id);
      if (session && !this.#sessions.has(id)) this.#sessions.set(id, session);
      return session && this.#sessions.get(id);
    }
  },
  /** Asks its store once for each session. */
  Remembers: class extends MemoryHttpSessionReader {
    readonly #known = new Map<string, HttpSession>();
    override async readById(id: string): Promise<HttpSession | undefined> {
      const session = (await super.readById(id)) ?? this.#known.get(id);
      if (session !== undefined) this.#known.set(id, session);
      return session;
    }
  },
  NeverEnds: class extends MemoryHttpSessionReader {
    override destroy(): boolean {
      return true;
    }
  },
};
