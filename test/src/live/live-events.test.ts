import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  type ChannelServerOptions,
  type TokenGrant,
  type TokenId,
  tokenIdOf,
  withUserFromHttp,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { type ChannelEvent, Events } from '../../../src/events.js';
import { ofType } from '../../support/heard.js';
import { alice, aliceKey, bobKey, expectProcessToLive, makeSite } from '../../support/site.js';

expectProcessToLive();

const digestOf = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 16);
const cookies = { key: aliceKey };

/** A site whose server tells its events. */
function listeningSite(more: ChannelServerOptions = {}) {
  const site = makeSite();
  const events: ChannelEvent[] = [];
  const options: ChannelServerOptions = { ...site.options, ...more, onEvent: (event) => void events.push(event) };
  const server = new ChannelServer({ connect: withUserFromToken({ tokens: site.tokens })(() => {}) }, options);
  return { ...site, events, options, server };
}

describe('a revocation', () => {
  it('of a token is told with its id, and with how many channels it concerns, before they end', async () => {
    const { clock, tokens, events, server } = listeningSite();
    const clients = [await connectTo(server, { cookies }), await connectTo(server, { cookies })];
    await tokens.revoke(tokenIdOf(aliceKey));
    await clock.advance(0);
    expect(ofType(events, 'revocation')).toEqual([
      { type: 'revocation', kind: 'token', subject: tokenIdOf(aliceKey), isHint: false, channels: 2 },
    ]);
    expect(ofType(events, 'close').map(({ channelId, code, closeCode }) => [channelId, code, closeCode])).toEqual(
      clients.map(({ channel }) => [channel.id, 'ERR_TOKEN_REVOKED', 3000]),
    );
    const types = events.map(({ type }) => type);
    expect(types.indexOf('revocation')).toBeLessThan(types.indexOf('close'));
  });

  it('of a user, or of an HTTP session, is told with a digest alone', async () => {
    const { sessions, users, events, options } = listeningSite();
    const server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => {}) }, options);
    const sessionId = sessions.create('alice');
    await connectTo(server, { cookies: { sessionid: sessionId } });
    expect(await server.disconnectHttpSession(sessionId)).toBe(1);
    expect(await server.disconnectUser('alice')).toBe(0);
    expect(ofType(events, 'revocation')).toEqual([
      { type: 'revocation', kind: 'http-session', subject: digestOf(sessionId), isHint: false, channels: 1 },
      { type: 'revocation', kind: 'user', subject: digestOf('alice'), isHint: false, channels: 0 },
    ]);
    expect(JSON.stringify(events)).not.toContain(sessionId);
    expect(JSON.stringify(events)).not.toContain('"alice"');
  });

  it('that is a hint is told as one, and then the look-up', async () => {
    const { clock, users, events, server } = listeningSite();
    await connectTo(server, { cookies });
    users.set({ ...alice });
    await clock.advance(0);
    expect(ofType(events, 'revocation')).toMatchObject([{ kind: 'user', isHint: true, channels: 1 }]);
    expect(ofType(events, 'revalidation')).toMatchObject([{ source: 'token', asked: 1, ended: 0, failed: 0 }]);
  });
});

describe('a sweep', () => {
  it('is told once for all that it asked, with what it ended and how long it took', async () => {
    const { clock, events, options } = listeningSite();
    const gone = tokenIdOf(bobKey);
    let isGone = false;
    const grantOf = (id: TokenId): TokenGrant => ({ id, user: alice });
    const tokens = {
      findById: async (id: TokenId) => grantOf(id),
      async findByIds(ids: readonly TokenId[]) {
        await clock.advance(30);
        return new Map(ids.filter((id) => !isGone || id !== gone).map((id) => [id, grantOf(id)]));
      },
    };
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    await connectTo(server, { cookies });
    await connectTo(server, { cookies: { key: bobKey } });
    await connectTo(server, { cookies: { key: bobKey } });
    isGone = true;
    await clock.advance(60_000);
    expect(ofType(events, 'revalidation')).toEqual([
      { type: 'revalidation', source: 'token', asked: 2, ended: 2, failed: 0, durationMs: 30 },
    ]);
  });

  it('says how many could not be looked up', async () => {
    const { clock, events, options } = listeningSite();
    let isDown = false;
    const findById = async (id: TokenId): Promise<TokenGrant> => {
      if (isDown && id === tokenIdOf(aliceKey)) throw new Error('down');
      return { id, user: alice };
    };
    const server = new ChannelServer({ connect: withUserFromToken({ tokens: { findById } })(() => {}) }, options);
    await connectTo(server, { cookies });
    await connectTo(server, { cookies: { key: bobKey } });
    isDown = true;
    await clock.advance(60_000);
    expect(ofType(events, 'revalidation')[0]).toMatchObject({ asked: 2, ended: 0, failed: 1 });
    expect(ofType(events, 'close')).toEqual([]);
  });

  it('counts the token that follows on another one as a failure, where that one cannot be looked up', async () => {
    const { clock, events, options } = listeningSite();
    const successorId = tokenIdOf(bobKey);
    let isRotated = false;
    const findById = async (id: TokenId): Promise<TokenGrant> => {
      if (id === successorId) throw new Error('down');
      return { id, user: alice, ...(isRotated && { successorId }) };
    };
    const server = new ChannelServer({ connect: withUserFromToken({ tokens: { findById } })(() => {}) }, options);
    const client = await connectTo(server, { cookies });
    isRotated = true;
    await clock.advance(60_000);
    expect(ofType(events, 'revalidation')[0]).toMatchObject({ ended: 0, failed: 1 });
    expect(client.channel.tokenId).toBe(tokenIdOf(aliceKey)); // goes on as it was found
  });
});

describe('a renewal', () => {
  it('is told of a token that was extended', async () => {
    const { clock, tokens, events, server } = listeningSite();
    const { key, id } = await tokens.issue('alice', { ttlMs: 90_000 });
    const client = await connectTo(server, { cookies: { key } });
    await tokens.extend(id, { ttlMs: 3_600_000 });
    await clock.advance(60_000);
    expect(ofType(events, 'renewal')).toEqual([
      { type: 'renewal', channelId: client.channel.id, userDigest: digestOf('alice'), tokenId: id, how: 'extended' },
    ]);
  });

  it('is told of a token that was exchanged for another, by its new id', async () => {
    const { clock, tokens, events, server } = listeningSite();
    const { key, id } = await tokens.issue('alice', { ttlMs: 3_600_000 });
    await connectTo(server, { cookies: { key } });
    const next = await tokens.rotate(id, { graceMs: 30_000 });
    await clock.advance(60_000);
    expect(ofType(events, 'renewal')).toMatchObject([{ how: 'successor', tokenId: next?.id }]);
    expect(new Set(ofType(events, 'revalidation').map(({ failed }) => failed))).toEqual(new Set([0]));
    expect(ofType(events, 'close')).toEqual([]);
  });

  it('is told of a client that gave another key', async () => {
    const { tokens, events, server } = listeningSite();
    const client = await connectTo(server, { cookies });
    const { key, id } = await tokens.issue('alice');
    expect(await client.channel.reauthenticate(key)).toBe(true);
    expect(ofType(events, 'renewal')).toMatchObject([{ how: 'reauthenticated', tokenId: id }]);
    expect(await client.channel.reauthenticate(bobKey)).toBe(false);
    expect(ofType(events, 'renewal')).toHaveLength(1);
    expect(JSON.stringify(events)).not.toContain(key);
  });
});

it('where nobody listens, nothing is made of revocations, sweeps and renewals', async () => {
  const { clock, tokens, options } = makeSite();
  const made: unknown[] = [];
  const { emit } = Events.prototype;
  Events.prototype.emit = (event) => void made.push(event);
  try {
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    const { key, id } = await tokens.issue('alice', { ttlMs: 90_000 });
    await connectTo(server, { cookies: { key } });
    await tokens.extend(id, { ttlMs: 3_600_000 });
    await clock.advance(60_000);
    await tokens.revoke(id);
    await clock.advance(0);
    expect([...server.channels]).toEqual([]);
  } finally {
    Events.prototype.emit = emit;
  }
  expect(made).toEqual([]);
});
