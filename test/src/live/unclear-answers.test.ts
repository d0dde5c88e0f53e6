import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type HttpSession, type HttpSessionReader, type TokenGrant, type TokenId, withUserFromHttp } from '../../../entries/index.js';
import { MemoryHttpSessionReader, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { unreadable } from '../../../src/unreadable.js';
import { codesOf, expectProcessToLive } from '../../support/site.js';
import { expired, idOf, inactive, revoked, ScriptedTokens, stale, watch } from './watched.js';

expectProcessToLive();

/** What may be thrown, and is no error of this realm. */
const thrownValues: readonly [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['the name of a user', () => 'ann'],
  ['an object', () => ({ user: undefined })],
  ['an error of another realm', () => runInNewContext('new Error("gone")')],
  ['a promise that rejects', () => Promise.reject(new Error('gone'))],
];

const ofAnotherRealm = (time: number): Date => runInNewContext(`new Date(${time})`) as Date;

describe('a token that is looked up again', () => {
  describe.each([
    ['in batches', true],
    ['one by one', false],
  ])('%s', (_, isBatched) => {
    it.each(thrownValues)('cannot be told where %s is thrown, and its channel stays', async (_name, make) => {
      const tokens = new ScriptedTokens(isBatched);
      const { clock, errors, logIn } = watch({ tokens });
      const ann = await logIn('ann');
      const fail = async (): Promise<never> => {
        throw make();
      };
      tokens.findById = fail;
      if (isBatched) tokens.findByIds = fail;
      await clock.advance(60_000);
      expect(ann.closed).toBeUndefined();
      expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    });

    it('says nothing where its grant has null, as rows of a database have it', async () => {
      const tokens = new ScriptedTokens(isBatched);
      const { connect, clock, errors } = watch({ tokens });
      const empty = { expiresAt: null, revokedAt: null, scopes: null, successorId: null } as unknown as Partial<TokenGrant>;
      tokens.put('ann', empty);
      tokens.put('bob', { expiresAt: new Date(clock.now() + 90_000), scopes: ['read'] });
      const [ann, bob] = [await connect('ann'), await connect('bob')];
      tokens.put('bob', empty);
      await clock.advance(120_000);
      expect([ann.closed, bob.closed]).toEqual([undefined, undefined]);
      expect(bob.authentication).toEqual({ outcome: 'ok', source: 'token', carrier: 'cookie', tokenId: idOf('bob') });
      expect(errors).toEqual([]);
    });

    it('goes on where its repository lengthens it by setting the very date that it gave out', async () => {
      const tokens = new ScriptedTokens(isBatched);
      const { clock, logIn } = watch({ tokens });
      const expiresAt = new Date(clock.now() + 90_000);
      const ann = await logIn('ann', { expiresAt });
      for (let minute = 1; minute <= 3; minute += 1) {
        expiresAt.setTime(clock.now() + 90_000);
        await clock.advance(60_000);
        expect(ann.closed).toBeUndefined();
      }
      await clock.advance(29_000);
      expect(ann.closed).toBeUndefined();
      await clock.advance(1_000);
      expect(ann.closed).toEqual(expired);
    });

    it('ends at a date of another realm', async () => {
      const tokens = new ScriptedTokens(isBatched);
      const { clock, errors, logIn } = watch({ tokens });
      const ann = await logIn('ann', { expiresAt: ofAnotherRealm(clock.now() + 90_000) });
      tokens.put('ann', { expiresAt: ofAnotherRealm(clock.now() + 150_000) });
      await clock.advance(149_000);
      expect(ann.closed).toBeUndefined();
      await clock.advance(1_000);
      expect(ann.closed).toEqual(expired);
      expect(errors).toEqual([]);
    });
  });

  it.each<[string, unknown]>([
    ['the user itself', { id: 'ann', isAuthenticated: true }],
    ['an empty object', {}],
    ['a map', new Map()],
    ['a date', new Date()],
  ])('cannot be told where %s comes in place of a grant, at connect neither', async (_name, answer) => {
    const { connect, clock, tokens, errors, logIn } = watch();
    const ann = await logIn('ann');
    tokens.put('ann');
    tokens.grants.set(idOf('ann'), answer as TokenGrant);
    await clock.advance(60_000);
    expect(ann.closed).toBeUndefined();
    expect((await connect('ann')).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED', 'ERR_LOOKUP_FAILED']);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an empty list', []],
    ['a list of grants', [{ id: idOf('ann'), user: { id: 'ann', isAuthenticated: true } }]],
    ['an object by ids', { [idOf('ann')]: { id: idOf('ann') } }],
    ['a set', new Set()],
    ['a promise of a promise’s list', Promise.resolve([])],
    ['a map by the bytes of ids', new Map([[Buffer.from(idOf('ann'), 'hex'), { id: idOf('ann') }]])],
    ['a map by ids in upper case', new Map([[idOf('ann').toUpperCase(), { id: idOf('ann') }]])],
  ])('cannot be told where %s comes in place of a map of grants', async (_name, answers) => {
    const { clock, tokens, errors, logIn } = watch();
    const ann = await logIn('ann');
    tokens.findByIds = async () => answers as ReadonlyMap<TokenId, TokenGrant>;
    await clock.advance(60_000);
    expect(ann.closed).toBeUndefined();
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect((errors[0] as Error).cause).toMatchObject({ name: 'TypeError', message: expect.stringContaining('tokens.findByIds') });
  });

  it('is none where it is a list, whatever members that has', async () => {
    const { connect, tokens, errors } = watch();
    tokens.grants.set(idOf('ann'), Object.assign([], { id: idOf('ann'), user: { id: 'ann', isAuthenticated: true } as const }));
    expect((await connect('ann')).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('is none where its user is a promise that nobody has awaited, and the rejection of that ends nothing', async () => {
    const { connect, tokens, errors } = watch();
    tokens.grants.set(idOf('ann'), { id: idOf('ann'), user: Promise.reject(new Error('the database is gone')) } as unknown as TokenGrant);
    expect((await connect('ann')).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect((errors[0] as Error).cause).toMatchObject({ name: 'TypeError', message: expect.stringContaining('a promise') });
  });

  it('is of an inactive user where its grant says nothing of one, as JSON leaves out what is undefined', async () => {
    const { connect, tokens } = watch();
    tokens.grants.set(idOf('ann'), { id: idOf('ann') } as TokenGrant);
    expect((await connect('ann')).authentication?.outcome).toBe('inactive-user');
  });

  it('cannot be told alone, where its grant alone cannot be read: the others of its batch are told of', async () => {
    const { connect, clock, tokens, errors } = watch({ maxStaleMs: 300_000 });
    for (const name of ['ann', 'bob', 'eve']) tokens.put(name);
    const [ann, bob, eve] = await Promise.all(['ann', 'bob', 'eve'].map(connect));
    tokens.grants.set(idOf('ann'), unreadable<TokenGrant>({ id: idOf('ann') }, 'user', new Error('a mapper threw')));
    tokens.grants.delete(idOf('eve'));
    await clock.advance(60_000);
    expect([ann?.closed, bob?.closed, eve?.closed]).toEqual([undefined, undefined, revoked]);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    for (let minute = 0; minute < 10; minute += 1) await clock.advance(60_000);
    expect([ann?.closed, bob?.closed]).toEqual([stale, undefined]);
  });

  it('has new scopes where they are others, though they read the same together', async () => {
    const { clock, tokens, logIn } = watch();
    const ann = await logIn('ann', { scopes: ['read,write'] });
    tokens.put('ann', { scopes: ['read', 'write'] });
    await clock.advance(60_000);
    expect(ann.authentication?.scopes).toEqual(['read', 'write']);
  });
});

describe('the users of HTTP sessions that are read again', () => {
  it('cannot be told where they come by the numbers that a database has for them', async () => {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const found = { id: '7', isAuthenticated: true as const };
    const byNumber: ReadonlyMap<unknown, typeof found> = new Map([[7, found]]);
    const users = { findById: async () => found, findByIds: async () => byNumber as ReadonlyMap<string, typeof found> };
    const sessions = new MemoryHttpSessionReader();
    const channels = { connect: withUserFromHttp({ sessions, users })(() => undefined) };
    const onError = (error: unknown): void => void errors.push(error);
    const client = await connectTo(channels, { cookies: { sessionid: sessions.create('7') }, clock, onError });
    await clock.advance(60_000);
    expect(client.closed).toBeUndefined();
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect((errors[0] as Error).cause).toMatchObject({ name: 'TypeError', message: expect.stringContaining('users.findByIds') });
    await client.disconnect();
  });

  it('are told of where others come with them whom nobody asked for', async () => {
    const clock = new TestClock();
    const all = new Map(['ann', 'bob'].map((id) => [id, { id, isAuthenticated: true as const }]));
    const users = { findById: async (id: string) => all.get(id), findByIds: async () => all };
    const sessions = new MemoryHttpSessionReader();
    const channels = { connect: withUserFromHttp({ sessions, users })(() => undefined) };
    const client = await connectTo(channels, { cookies: { sessionid: sessions.create('ann') }, clock });
    await clock.advance(60_000);
    expect(client.closed).toBeUndefined();
    all.delete('ann');
    await clock.advance(60_000);
    expect(client.closed).toEqual(inactive);
  });
});

describe('an HTTP session that is read again', () => {
  const session = (others: object = {}): HttpSession => ({ id: 's1', userId: 'ann', data: {}, save: async () => undefined, ...others });

  async function site(readAgain: () => unknown) {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const reader: HttpSessionReader = { read: async () => session(), readById: async () => readAgain() as HttpSession };
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]);
    const client = await connectTo(
      { connect: withUserFromHttp({ sessions: reader, users })(() => undefined) },
      { clock, onError: (error) => void errors.push(error) },
    );
    return { client, clock, errors };
  }

  it.each(thrownValues)('cannot be told of where %s is thrown, and its channel stays', async (_name, make) => {
    const { client, clock, errors } = await site(() => {
      throw make();
    });
    await clock.advance(60_000);
    expect(client.closed).toBeUndefined();
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    await client.disconnect();
  });

  it.each<[string, unknown]>([
    ['a number for its user', session({ userId: 7 })],
    ['an empty id of a user', session({ userId: '' })],
    ['an id that is an object', session({ id: {} })],
    ['a list', []],
    ['a text', 'ann'],
  ])('cannot be told of where it is %s, and its channel stays', async (_name, answer) => {
    const { client, clock, errors } = await site(() => answer);
    await clock.advance(60_000);
    expect(client.closed).toBeUndefined();
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    await client.disconnect();
  });

  it('at connect, and is none that can be understood, is 503 and nobody’s', async () => {
    const errors: unknown[] = [];
    const asked: unknown[] = [];
    const users = { findById: async (id: string) => void asked.push(id) };
    for (const others of [{ userId: 7 }, { userId: '' }, { id: 7 }, { id: null }]) {
      const reader: HttpSessionReader = { read: async () => session(others), readById: async () => undefined };
      const onError = (error: unknown): void => void errors.push(error);
      const client = await connectTo({ connect: withUserFromHttp({ sessions: reader, users })(() => undefined) }, { onError });
      expect(client.refusal).toEqual({ status: 503 });
    }
    expect(asked).toEqual([]);
    expect(new Set(codesOf(errors))).toEqual(new Set(['ERR_LOOKUP_FAILED']));
  });
});
