import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  container,
  fromHttpSession,
  fromToken,
  identifyUser,
  tokenIdOf,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withHttpSession,
  withHttpUser,
  withOrdering,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import {
  ensureIndexes,
  importDrfTokens,
  MongoSessionStore,
  MongoTokenRepository,
  MongoUserRepository,
  registerMongo,
} from '../../entries/mongodb.js';
import { anInteger, checkedOptions, having, milliseconds } from '../../src/checked-options.js';
import { kindOf } from '../../src/kind-of.js';
import { fakeRequest } from '../../testing/fake-request.js';

type Take = (options: object) => unknown;

/** Never connected: options are checked before anything is sent. */
const db = new MongoClient('mongodb://127.0.0.1:1').db('none');
const handlers = { receive: () => undefined };
const memoryTokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]) });
const tokenId = tokenIdOf('k'.repeat(40));
const owners: Record<string, { readonly take: Take; readonly bad: object }> = {
  ChannelServer: { take: (options) => new ChannelServer(handlers, options), bad: { concurrency: 'secret' } },
  session: { take: (session) => new ChannelServer(handlers, { session }), bad: { scope: 'secret' } },
  'ChannelServer: outcomes.ERR_SHUTDOWN': {
    take: (row) => new ChannelServer(handlers, { outcomes: { ERR_SHUTDOWN: row } }),
    bad: { reason: 1n },
  },
  close: { take: (options) => new ChannelServer(handlers).close(options), bad: { timeoutMs: 'secret' } },
  handleUpgrades: {
    take: (options) => new ChannelServer(handlers).handleUpgrades(createServer(), options),
    bad: { protocols: 'secret' },
  },
  withChannelSession: { take: withChannelSession, bad: { ttlMs: 'secret' } },
  withUserFromToken: { take: withUserFromToken as Take, bad: { from: 'secret' } },
  withUserFromHttp: { take: withUserFromHttp as Take, bad: { tokens: 'secret' } },
  withHttpSession: { take: withHttpSession as Take, bad: { users: 'secret' } },
  withHttpUser: { take: withHttpUser as Take, bad: { tokens: 'secret' } },
  withChannelUser: { take: withChannelUser as Take, bad: { user: 'secret' } },
  withAuthenticatedUser: { take: withAuthenticatedUser as Take, bad: { role: 'secret' } },
  withOrdering: { take: withOrdering as Take, bad: { key: 'secret' } },
  fromToken: { take: fromToken, bad: { from: 'secret' } },
  fromHttpSession: { take: fromHttpSession, bad: { reader: 'secret' } },
  MemorySessionStore: { take: (options) => new MemorySessionStore(options), bad: { maxSessions: 'secret' } },
  MemoryTokenRepository: { take: (options) => new MemoryTokenRepository(options as never), bad: { users: 'secret' } },
  'MemoryTokenRepository.issue': { take: (options) => memoryTokens.issue('ann', options), bad: { ttlMs: 'secret' } },
  'MemoryTokenRepository.add': { take: (options) => memoryTokens.add('k'.repeat(40), 'ann', options), bad: { scopes: 'secret' } },
  'MemoryTokenRepository.extend': { take: (options) => memoryTokens.extend(tokenId, options as never), bad: { ttlMs: 'secret' } },
  'MemoryTokenRepository.rotate': { take: (options) => memoryTokens.rotate(tokenId, options as never), bad: { graceMs: 'secret' } },
  'MongoTokenRepository.issue': { take: (options) => new MongoTokenRepository(db).issue('ann', options), bad: { label: 1n } },
  MemoryHttpSessionReader: { take: (options) => new MemoryHttpSessionReader(options), bad: { cookie: 'a secret' } },
  MongoSessionStore: { take: (options) => new MongoSessionStore(db, options), bad: { collection: 1n } },
  MongoUserRepository: { take: (options) => new MongoUserRepository(db, options), bad: { key: 1n } },
  MongoTokenRepository: { take: (options) => new MongoTokenRepository(db, options), bad: { cache: 'secret' } },
  ensureIndexes: { take: (options) => ensureIndexes(db, options), bad: { sessions: 'secret' } },
  registerMongo: { take: (options) => registerMongo(container, options as never), bad: { tokens: 'secret' } },
  'MongoTokenRepository.users': { take: (users) => new MongoTokenRepository(db, { users }), bad: { map: 'secret' } },
  'MongoTokenRepository.cache': { take: (cache) => new MongoTokenRepository(db, { cache }), bad: { ttlMs: 'secret' } },
  'MongoTokenRepository.users.profile': {
    take: (profile) => new MongoTokenRepository(db, { users: { profile: profile as never } }),
    bad: { collection: 1n },
  },
  importDrfTokens: { take: (options) => importDrfTokens(db, options as never), bad: { keepUp: 'secret' } },
  identifyUser: { take: (options) => identifyUser(fakeRequest({}), options as never), bad: { sources: [], timeoutMs: 'secret' } },
};

async function errorOf(take: Take, options: object): Promise<unknown> {
  try {
    return await take(options);
  } catch (error) {
    return error;
  }
}

describe.each(Object.entries(owners))('%s', (owner, { take, bad }) => {
  it('refuses an option that there is not, and names those that there are', async () => {
    const error = await errorOf(take, { [`no${owner}`]: 1 });
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^.+: there is no option no.+; it takes \w/);
    expect((error as Error).message.startsWith(`${owner}: `)).toBe(true);
  });

  it('refuses a value that is not what it must be, and does not show it', async () => {
    const error = await errorOf(take, bad);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message.startsWith(`${owner}: `)).toBe(true);
    expect((error as Error).message).not.toContain('secret');
  });

  it('refuses options that are no object', async () => {
    for (const options of [null, 'secret', 1, []] as unknown[]) {
      const error = await errorOf(take, options as object);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).not.toContain('secret');
    }
  });
});

describe('checked options', () => {
  it('are not what was meant to be one of them: a repository, a store or a limiter with members of its own', () => {
    class Repository {
      readonly revocations = 1;
      get points(): number {
        return 1;
      }
      findById(): undefined {}
    }
    const rules = { points: anInteger(1), tokens: having('a Repository', 'findById') };
    const { tokens } = rules;
    expect(() => checkedOptions('withTokens', new Repository() as object, { tokens } as never)).toThrow(
      /got a Repository itself; .*tokens/,
    );
    expect(() => checkedOptions('withTokens', new Repository() as object, rules as never)).toThrow(/revocations, which a Repository has; /);
    const bare: object = Object.create({ __proto__: Object.create(null), findById: () => undefined });
    expect(() => checkedOptions('withTokens', bare, rules as never)).toThrow(/got object itself; .*tokens/);
    class Settings {
      readonly points = 2;
      readonly tokens = new Repository();
      describe(): void {}
    }
    expect(checkedOptions('withTokens', new Settings() as object, rules as never)).toEqual({ points: 2, tokens: expect.any(Repository) });
  });

  it('are a frozen copy, each read once, in which undefined counts as not given', () => {
    let reads = 0;
    const given = {
      get size() {
        reads += 1;
        return 2;
      },
      ttlMs: undefined,
    };
    const options = checkedOptions<{ size?: number; ttlMs?: number | undefined }>('owner', given, {
      size: anInteger(1),
      ttlMs: milliseconds(0),
    });
    expect(options).toEqual({ size: 2, ttlMs: undefined });
    expect(Object.isFrozen(options)).toBe(true);
    expect(reads).toBe(1);
  });

  it('have what is inherited, getters of a class included, each read once', () => {
    let reads = 0;
    class Settings {
      get size() {
        reads += 1;
        return 2;
      }
    }
    const rules = { size: anInteger(1), ttlMs: milliseconds(0) };
    const take = (given: { size?: number; ttlMs?: number }) => checkedOptions<{ size?: number; ttlMs?: number }>('owner', given, rules);
    expect(take(new Settings())).toEqual({ size: 2 });
    expect(reads).toBe(1);
    expect(take(Object.create({ ttlMs: 5 }))).toEqual({ ttlMs: 5 });
    expect(take(Object.assign(Object.create({ size: 3, ttlMs: 5 }), { size: 4 }))).toEqual({ size: 4, ttlMs: 5 });
    expect(() => take(Object.create({ size: -1 }))).toThrow(TypeError);
  });

  it.each<[string, () => object]>([
    [
      'a repository',
      () =>
        new (class Users {
          findById() {}
        })(),
    ],
    ['a store', () => new MemorySessionStore()],
    ['a Map', () => new Map([['limit', 2]])],
    ['a promise of them', () => Promise.reject(new Error('late'))],
  ])('are refused where they are %s, in which they would be lost', async (_what, make) => {
    const rules = { limit: anInteger(1), ttlMs: milliseconds(0) };
    const take = () => checkedOptions<{ limit?: number; ttlMs?: number }>('owner', make(), rules);
    expect(take).toThrow(/^owner: options must be .*; it takes limit and ttlMs$/);
    await nextTurn(); // an unhandled rejection would fail the run
  });

  it('may be of a class of one’s own, with methods or without', () => {
    class Settings {
      limit: number | undefined = undefined;
      load() {
        this.limit = 2;
      }
    }
    const settings = new Settings();
    const take = () => checkedOptions<{ limit?: number | undefined }>('owner', settings, { limit: anInteger(1) });
    expect(take()).toEqual({ limit: undefined });
    settings.load();
    expect(take()).toEqual({ limit: 2 });
    expect(checkedOptions('owner', new (class Empty {})(), {})).toEqual({});
  });

  it('have nothing that somebody has put on the prototype of all objects', () => {
    Object.defineProperty(Object.prototype, 'size', { value: 9, configurable: true });
    try {
      expect(Object.hasOwn(checkedOptions<{ size?: number }>('owner', {}, { size: anInteger(1) }), 'size')).toBe(false);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'size');
    }
  });

  it('know no option by the prototype of the table', () => {
    expect(() => checkedOptions('owner', { constructor: 1 }, {} as never)).toThrow(TypeError);
    expect(() => checkedOptions('owner', JSON.parse('{ "__proto__": 1 }') as object, {})).toThrow(TypeError);
  });

  it('are refused where they are promises, whose rejections end nothing', async () => {
    const take = (): unknown => checkedOptions('owner', { size: Promise.reject(new Error('late')) as never }, { size: anInteger(1) });
    expect(take).toThrow(/^owner: size must be an integer of at least 1, got a promise$/);
    await nextTurn(); // an unhandled rejection would fail the run
  });

  it('are named by their kind where they are wrong, but for numbers', () => {
    expect([0.5, '', 'x', null, [], {}, 1n, new Date(0), new Date('soon')].map(kindOf)).toEqual([
      '0.5',
      'an empty string',
      'string',
      'null',
      'an array',
      'object',
      'bigint',
      'a Date',
      'an invalid Date',
    ]);
  });
});
