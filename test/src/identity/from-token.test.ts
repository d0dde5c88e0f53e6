import { describe, expect, it, vi } from 'vitest';
import {
  type Authentication,
  anonymousUser,
  authorization,
  type BaseMessage,
  ChannelServer,
  cookie,
  type HasUser,
  query,
  subprotocol,
  type TokenGrant,
  type TokenRepository,
  tokenIdOf,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { alice, aliceKey, bobKey, codesOf, expectProcessToLive, makeSite, type Site, thrownBy } from '../../support/site.js';
import { waysToFail } from '../../support/ways-to-fail.js';

expectProcessToLive();

const id = tokenIdOf(aliceKey);
const cookies = { key: aliceKey };

/** What identification makes of the grant that a repository gives for the post's key. */
async function grantedBy(findById: () => unknown, site: Site = makeSite()) {
  const tokens = { findById: vi.fn(findById) } as unknown as TokenRepository & { findById: ReturnType<typeof vi.fn> };
  const seen: unknown[] = [];
  const connect = withUserFromToken({ tokens })((message: BaseMessage & HasUser) => {
    seen.push(message.user, message.authentication);
  });
  const client = await connectTo({ connect }, { ...site.options, cookies });
  return { client, user: seen[0], authentication: seen[1] as Authentication | undefined, calls: tokens.findById.mock.calls, site };
}

const granted = (grant: Partial<TokenGrant> = {}) => grantedBy(async () => ({ id, user: alice, ...grant }));

describe('a token', () => {
  it('gives its user, and the repository sees its id alone, once', async () => {
    const { client, user, authentication, calls } = await granted();
    expect(user).toBe(alice);
    expect(client.user).toBe(alice);
    expect(client.channel.tokenId).toBe(id);
    expect(authentication).toEqual({ outcome: 'ok', source: 'token', carrier: 'cookie', tokenId: id });
    expect(calls).toEqual([[id]]);
  });

  it('hands on a copy of its expiry: who changes that does not lengthen the token', async () => {
    const expiresAt = new Date(makeSite().clock.now() + 1);
    const { authentication } = await granted({ expiresAt });
    authentication?.expiresAt?.setTime(0);
    expect(expiresAt.getTime()).toBe(makeSite().clock.now() + 1);
  });

  it('hands on its expiry and its scopes, frozen', async () => {
    const expiresAt = new Date(makeSite().clock.now() + 1);
    const { authentication } = await granted({ expiresAt, scopes: ['chat'] });
    expect(authentication).toMatchObject({ outcome: 'ok', expiresAt, scopes: ['chat'] });
    expect(Object.isFrozen(authentication)).toBe(true);
    expect(Object.isFrozen(authentication?.scopes)).toBe(true);
  });

  it.each<[string, Partial<TokenGrant>]>([
    ['expired', { expiresAt: new Date(makeSite().clock.now()) }],
    ['revoked', { revokedAt: new Date(makeSite().clock.now()) }],
    ['revoked', { revokedAt: new Date(0), expiresAt: new Date(0) }],
    ['inactive-user', { user: undefined }],
    ['inactive-user', { user: null as unknown as undefined }],
  ])('that is %s makes the user anonymous, and authentication says so', async (outcome, grant) => {
    const { client, user, authentication, site } = await granted(grant);
    expect(user).toBe(anonymousUser);
    expect(authentication).toEqual({ outcome, source: 'token', carrier: 'cookie', tokenId: id });
    expect(client.refusal).toBeUndefined();
    expect(client.channel.tokenId).toBeUndefined();
    expect(site.errors).toEqual([]);
  });

  it.each([undefined, null])('that the repository answers with %s is unknown', async (grant) => {
    const { user, authentication } = await grantedBy(async () => grant);
    expect(user).toBe(anonymousUser);
    expect(authentication).toMatchObject({ outcome: 'unknown', tokenId: id });
  });

  it('still counts a millisecond before its end, and before a revocation to come', async () => {
    const soon = new Date(makeSite().clock.now() + 1);
    expect((await granted({ expiresAt: soon, revokedAt: soon })).user).toBe(alice);
  });

  it('is compared by the wall clock of the server, not of the machine', async () => {
    const site = makeSite();
    site.clock.setTime(10_000);
    const expiresAt = new Date(10_001);
    expect((await grantedBy(async () => ({ id, user: alice, expiresAt }), site)).user).toBe(alice);
  });
});

describe('no token', () => {
  it('is missing, and no repository is asked', async () => {
    const { options, tokens, lookUps } = makeSite();
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    expect(client.authentication).toEqual({ outcome: 'missing', source: undefined });
    expect(client.user).toBe(anonymousUser);
    expect(lookUps).toEqual([]);
  });

  it.each(['key=', 'key=%E0%A4%A', 'key=%00', `key=${aliceKey}🔑`, `key=${aliceKey}; key=${bobKey}`, 'key=a; key=b'])(
    'but %j is malformed, and no repository is asked',
    async (header) => {
      const { options, tokens, lookUps, errors } = makeSite();
      const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { ...options, headers: { cookie: header } });
      expect(client.refusal).toBeUndefined();
      expect(client.authentication).toEqual({ outcome: 'malformed', source: 'token', carrier: 'cookie' });
      expect(client.user).toBe(anonymousUser);
      expect(lookUps).toEqual([]);
      expect(errors).toEqual([]);
    },
  );
});

describe('a repository that cannot tell', () => {
  const boom = new Error('the database is down');

  it.each<[string, () => unknown]>([
    ...waysToFail,
    ['rejects with nothing', () => Promise.reject()],
    ['gives a user without an id', async () => ({ id, user: { isAuthenticated: true } })],
    ['gives a user whose id is empty', async () => ({ id, user: { id: '', isAuthenticated: true } })],
    ['gives a user whose id is a number', async () => ({ id, user: { id: 7, isAuthenticated: true } })],
    ['gives a user that is not said to be authenticated', async () => ({ id, user: { id: 'alice' } })],
    ['gives a string for a user', async () => ({ id, user: 'alice' })],
    ['gives false for a user', async () => ({ id, user: false })],
    ['gives a string for a grant', async () => 'alice'],
    ['gives true for a grant', async () => true],
    ['gives false for a grant', async () => false],
    ['gives a list for a grant', async () => [{ id, user: alice }]],
    ['gives a time that is no Date', async () => ({ id, user: alice, expiresAt: Date.UTC(2999, 0) })],
    ['gives an invalid expiry', async () => ({ id, user: alice, expiresAt: new Date(Number.NaN) })],
    ['gives an invalid time of revocation', async () => ({ id, user: alice, revokedAt: new Date(Number.NaN) })],
    ['gives true for a time of revocation', async () => ({ id, user: alice, revokedAt: true })],
    ['gives a successor that is no id of a token', async () => ({ id, user: alice, successorId: 'next' })],
    ['gives scopes that are no list', async () => ({ id, user: alice, scopes: 7 })],
  ])('and %s refuses with 503, and never makes the user anonymous', async (_name, findById) => {
    const { client, user, site } = await grantedBy(findById);
    expect(client.refusal).toEqual({ status: 503 });
    expect(user).toBeUndefined();
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('is the cause of the error that is reported', async () => {
    const { site } = await grantedBy(() => Promise.reject(boom));
    expect((site.errors[0] as Error).cause).toBe(boom);
  });

  it('does not stop a client without a token', async () => {
    const tokens = { findById: () => Promise.reject(boom) };
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, makeSite().options);
    expect(client.refusal).toBeUndefined();
  });
});

describe('from', () => {
  const from = [cookie('auth'), authorization(), subprotocol('token.'), query('token')];
  const identified = async (handshake: object) => {
    const { options, tokens, lookUps } = makeSite();
    const client = await connectTo({ connect: withUserFromToken({ tokens, from })(() => {}) }, { ...options, ...handshake });
    return { user: client.user, carrier: client.authentication?.carrier, lookUps };
  };

  it.each([
    ['cookie', { cookies: { auth: aliceKey } }],
    ['authorization', { headers: { Authorization: `Token ${aliceKey}` } }],
    ['subprotocol', { protocols: ['chat', `token.${aliceKey}`] }],
    ['query', { url: `/?token=${aliceKey}` }],
  ])('takes a token from the %s, and says so', async (carrier, handshake) => {
    expect(await identified(handshake)).toEqual({ user: alice, carrier, lookUps: [[id]] });
  });

  it('replaces the default, the cookie key', async () => {
    expect((await identified({ cookies })).user).toBe(anonymousUser);
  });

  it('never asks for two tokens: the first place that holds a key decides', async () => {
    const stranger = 'f'.repeat(40);
    const { user, lookUps } = await identified({ cookies: { auth: stranger }, headers: { Authorization: `Bearer ${aliceKey}` } });
    expect(user).toBe(anonymousUser);
    expect(lookUps).toEqual([[tokenIdOf(stranger)]]);
  });

  it('asks no repository for an operator in the query', async () => {
    const { user, lookUps } = await identified({ url: '/?token[$gt]=' });
    expect(user).toBe(anonymousUser);
    expect(lookUps).toEqual([]);
  });
});

describe('options of withUserFromToken', () => {
  it.each<[string, object]>([
    ['from', { from: 'cookie' }],
    ['from', { from: [] }],
    ['sources', { sources: 1 }],
  ])('that are wrong in %s are a TypeError when the wrapper is made', (name, options) => {
    const error = thrownBy(() => withUserFromToken(options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(new RegExp(`withUserFromToken.*${name}`));
  });

  it.each([[{}], [null], ['tokens'], [7]])('whose tokens are %j are a TypeError when the server is built', (tokens) => {
    const connect = withUserFromToken({ tokens: tokens as never })(() => {});
    const error = thrownBy(() => new ChannelServer({ connect }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/withUserFromToken: tokens must have a method findById/);
  });

  it('are copied when the wrapper is made', async () => {
    const { tokens, options } = makeSite();
    const given = { tokens, from: [cookie()] };
    const wrap = withUserFromToken(given);
    given.from.pop();
    expect((await connectTo({ connect: wrap(() => {}) }, { ...options, cookies })).user).toBe(alice);
  });

  it('whose tokens give up too late for the server are a TypeError when it is built', () => {
    const tokens = { timeoutMs: 5_000, findById: async () => undefined };
    const connect = withUserFromToken({ tokens })(() => {});
    const error = thrownBy(() => new ChannelServer({ connect }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/tokens.*5000.*connectTimeoutMs/);
    expect(() => new ChannelServer({ connect }, { connectTimeoutMs: 5_001 })).not.toThrow();
  });
});
