import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  authorization,
  ChannelServer,
  type ChannelServerOptions,
  defineSource,
  fromToken,
  type SourceFinding,
  tokenIdOf,
  withUserFrom,
} from '../../../entries/index.js';
import { connectTo, type TestClient } from '../../../entries/testing.js';
import { MemoryRevocationFeed } from '../../../src/feeds/memory-revocation-feed.js';
import { deferred } from '../../support/deferred.js';
import { alice, bobKey, codesOf, expectProcessToLive, aliceKey as key, makeSite } from '../../support/site.js';
import { stale } from './watched.js';

expectProcessToLive();

const bearer = authorization('Bearer');

/** Sessions that are found by a digest of another kind, and may be asked for again. */
function knox(isBatched: boolean, options: ChannelServerOptions = {}) {
  const site = makeSite();
  const digest = (text: string): string => createHash('sha512').update(text).digest('hex');
  const rows = new Map([[digest(key), { user: alice, expiresAt: new Date(site.clock.now() + 600_000) }]]);
  const asked: number[] = [];
  const feed = new MemoryRevocationFeed();
  const answer = (row: string): SourceFinding => {
    const found = rows.get(row);
    return found === undefined ? { outcome: 'revoked' } : { outcome: 'ok', ...found };
  };
  let isDown = false;
  const answersTo = (all: readonly { readonly row: string }[]): SourceFinding[] => {
    if (isDown) throw new Error('the database is gone');
    asked.push(all.length);
    return all.map(({ row }) => answer(row));
  };
  const own = defineSource(
    'knox',
    async (request) => {
      const presented = bearer.find(request);
      if (presented.kind !== 'key') return { outcome: presented.kind, row: '' };
      const row = digest(presented.key);
      return { ...answer(row), tokenId: tokenIdOf(presented.key), row };
    },
    isBatched
      ? { recheckMany: async (all) => answersTo(all) }
      : { recheck: async (found) => answersTo([found])[0] ?? { outcome: 'unknown' } },
  );
  const server = new ChannelServer({ connect: withUserFrom(own)(() => {}) }, { ...site.options, revocations: feed, ...options });
  const connect = (): Promise<TestClient> => connectTo(server, { headers: { authorization: `Bearer ${key}` } });
  return {
    ...site,
    rows,
    row: digest(key),
    asked,
    connect,
    feed,
    down: (value: boolean) => {
      isDown = value;
    },
  };
}

describe.each([true, false])('a source that can be asked again (in batches: %s)', (isBatched) => {
  it('is asked by each sweep, once for all channels of a token', async () => {
    const { clock, connect, asked } = knox(isBatched);
    const clients = [await connect(), await connect()];
    await clock.advance(60_000);
    expect(asked).toEqual([1]);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
  });

  it('ends channels whose credential is gone, and those whose end was brought forward', async () => {
    const { clock, connect, rows, row } = knox(isBatched);
    const client = await connect();
    rows.delete(row);
    await clock.advance(60_000);
    expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
    rows.set(row, { user: alice, expiresAt: new Date(clock.now() + 600_000) });
    const other = await connect();
    rows.set(row, { user: alice, expiresAt: new Date(clock.now() + 90_000) });
    await clock.advance(89_000);
    expect(other.closed).toBeUndefined();
    await clock.advance(2_000);
    expect(other.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('ends nobody while it cannot tell, until that lasts longer than maxStaleMs', async () => {
    const { clock, connect, down, errors } = knox(isBatched, { maxStaleMs: 150_000 });
    const client = await connect();
    down(true);
    await clock.advance(120_000);
    expect([client.closed, codesOf(errors)[0]]).toEqual([undefined, 'ERR_LOOKUP_FAILED']);
    down(false);
    await clock.advance(150_000);
    expect(client.closed).toBeUndefined();
    down(true);
    await clock.advance(300_000);
    expect(client.closed).toEqual(stale);
  });

  it('is asked where a revocation hints at its user, and its answer decides', async () => {
    const { clock, connect, rows, row, feed, asked } = knox(isBatched);
    const client = await connect();
    feed.tell({ userId: 'alice', hint: true });
    await clock.advance(0);
    expect([client.closed, asked]).toEqual([undefined, [1]]);
    rows.delete(row);
    feed.tell({ userId: 'alice', hint: true });
    await clock.advance(0);
    expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
  });
});

describe('what a source answers when it is asked again', () => {
  async function answering(answer: unknown, first: Partial<SourceFinding> = {}) {
    const site = makeSite();
    const own = defineSource('own', (): SourceFinding => ({ outcome: 'ok', user: alice, ...first }), {
      recheck: () => answer as SourceFinding,
    });
    const client = await connectTo({ connect: withUserFrom(own)(() => {}) }, site.options);
    await site.clock.advance(60_000);
    return { ...site, client };
  }

  it('leaves as it was what it says nothing of', async () => {
    const expiresAt = new Date(makeSite().clock.now() + 3_600_000);
    const { client } = await answering({ outcome: 'ok' }, { expiresAt, scopes: ['read'], tokenId: tokenIdOf(key) });
    expect([client.closed, client.user]).toEqual([undefined, alice]);
    expect(client.authentication).toEqual({ outcome: 'ok', source: 'own', tokenId: tokenIdOf(key), expiresAt, scopes: ['read'] });
  });

  it.each([
    ['expired', 'token expired'],
    ['revoked', 'token revoked'],
    ['unknown', 'token revoked'],
    ['inactive-user', 'user inactive'],
  ])('ends the channel by %s', async (outcome, reason) => {
    const { client, errors } = await answering({ outcome });
    expect([client.closed, errors]).toEqual([{ code: 3000, reason }, []]);
  });

  it('ends the channel where the user is another one now', async () => {
    const { client } = await answering({ outcome: 'ok', user: { id: 'bob', isAuthenticated: true } });
    expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
  });

  it.each([[undefined], [{}], [{ outcome: 'ok', user: {} }], [{ outcome: 'ok', expiresAt: 1 }]])(
    'cannot tell by %j, which is reported',
    async (answer) => {
      const { client, errors } = await answering(answer);
      expect([client.closed, codesOf(errors)]).toEqual([undefined, ['ERR_LOOKUP_FAILED']]);
    },
  );
});

describe('a source that is asked again in batches', () => {
  it.each([
    ['leaves out those that are gone', (answers: readonly SourceFinding[]) => answers.slice(1)],
    ['gives more than it was asked for', (answers: readonly SourceFinding[]) => [{ outcome: 'revoked' } as const, ...answers]],
    ['gives no list', (answers: readonly SourceFinding[]) => new Set(answers) as never],
  ])('cannot tell of anybody where it %s: nobody knows which answer is whose', async (_what, distort) => {
    const { clock, options, errors } = makeSite();
    const find = ({ headers: { name } }: IncomingMessage): SourceFinding => ({ outcome: 'ok', user: { ...alice, id: String(name) } });
    const own = defineSource('own', find, {
      recheckMany: (all) => distort(all.map(({ user }): SourceFinding => ({ outcome: user?.id === 'bob' ? 'revoked' : 'ok' }))),
    });
    const server = new ChannelServer({ connect: withUserFrom(own)(() => {}) }, options);
    const clients = [await connectTo(server, { headers: { name: 'ann' } }), await connectTo(server, { headers: { name: 'bob' } })];
    await clock.advance(60_000);
    expect([clients.map(({ closed }) => closed), codesOf(errors)]).toEqual([[undefined, undefined], ['ERR_LOOKUP_FAILED']]);
  });
});

describe('a source that says when its credentials were issued', () => {
  it('has those channels ended which go by what was issued before a moment, whenever they came', async () => {
    const { clock, options } = makeSite();
    const feed = new MemoryRevocationFeed();
    let issuedAt = new Date(clock.now());
    let answers: Promise<unknown> = Promise.resolve();
    const find = async (): Promise<SourceFinding> => {
      const issued = issuedAt;
      await answers;
      return { outcome: 'ok', user: alice, issuedAt: issued };
    };
    const server = new ChannelServer({ connect: withUserFrom(defineSource('own', find))(() => {}) }, { ...options, revocations: feed });
    await clock.advance(10_000);
    const old = await connectTo(server);
    issuedAt = new Date(clock.now());
    const young = await connectTo(server);
    issuedAt = new Date(clock.now() - 1);
    const gate = deferred();
    answers = gate.promise;
    const connecting = connectTo(server);
    await clock.advance(0);
    feed.tell({ userId: 'alice', issuedBefore: new Date(clock.now()) });
    gate.resolve();
    expect([old.closed, young.closed]).toEqual([{ code: 3000, reason: 'token revoked' }, undefined]);
    expect((await connecting).refusal).toEqual({ status: 401 });
  });
});

describe('a source that is asked before that of tokens', () => {
  it('does not hide what is revoked meanwhile: who presents it is refused, however long its look-up hangs', async () => {
    const { options } = makeSite();
    const feed = new MemoryRevocationFeed();
    const [begun, answering] = [deferred(), deferred()];
    const own = defineSource('own', async (): Promise<SourceFinding> => {
      begun.resolve();
      await answering.promise;
      return { outcome: 'missing' };
    });
    const tokens = { findById: () => new Promise<undefined>(() => {}) };
    const connect = withUserFrom(own, fromToken({ tokens }))(() => {});
    const connecting = connectTo({ connect }, { ...options, revocations: feed, cookies: { key } });
    await begun.promise;
    feed.tell({ tokenId: tokenIdOf(key) });
    answering.resolve();
    expect((await connecting).refusal).toEqual({ status: 401 });
  });
});

describe('channel.reauthenticate on a server with several sources', () => {
  it('goes over to the key of whichever source finds the same user', async () => {
    const { tokens, clock, options } = makeSite();
    const expiresAt = new Date(clock.now() + 60_000);
    const findByKey = async (one: string): Promise<SourceFinding> =>
      one === 'new' ? { outcome: 'ok', user: alice, expiresAt, tokenId: tokenIdOf(bobKey) } : { outcome: 'unknown' };
    const own = defineSource('own', (): SourceFinding => ({ outcome: 'missing' }), { findByKey });
    const server = new ChannelServer({ connect: withUserFrom(fromToken({ tokens }), own)(() => {}) }, options);
    const client = await connectTo(server, { cookies: { key } });
    expect(await client.channel.reauthenticate('old')).toBe(false);
    expect(await client.channel.reauthenticate('new')).toBe(true);
    expect(client.authentication).toMatchObject({ outcome: 'ok', source: 'own', expiresAt, tokenId: tokenIdOf(bobKey) });
    expect(server.channels.ofToken(tokenIdOf(key))).toEqual([]);
    await clock.advance(61_000);
    expect(client.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('ends a channel that goes over to what was issued before a moment, where that was told while it was looked up', async () => {
    const { clock, options } = makeSite();
    const feed = new MemoryRevocationFeed();
    const answering = deferred();
    const findByKey = async (): Promise<SourceFinding> => {
      await answering.promise;
      return { outcome: 'ok', user: alice, issuedAt: new Date(clock.now() - 10_000) };
    };
    const find = (): SourceFinding => ({ outcome: 'ok', user: alice, issuedAt: new Date(clock.now()) });
    const own = defineSource('own', find, { findByKey });
    const server = new ChannelServer({ connect: withUserFrom(own)(() => {}) }, { ...options, revocations: feed });
    const client = await connectTo(server);
    const going = client.channel.reauthenticate('older');
    feed.tell({ userId: 'alice', issuedBefore: new Date(clock.now() - 1_000) });
    answering.resolve();
    await going;
    expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
  });

  it('does not keep a channel of which its source says that it has expired, and which had no end', async () => {
    const { clock, options } = makeSite();
    const own = defineSource('own', (): SourceFinding => ({ outcome: 'ok', user: alice }), {
      findByKey: () => new Promise<SourceFinding>(() => {}),
      recheck: (): SourceFinding => ({ outcome: 'expired' }),
    });
    const client = await connectTo(new ChannelServer({ connect: withUserFrom(own)(() => {}) }, options));
    await clock.advance(59_999);
    const renewal = client.channel.reauthenticate('new').catch(() => false);
    await clock.advance(1);
    expect(client.closed).toMatchObject({ reason: 'token expired' });
    await clock.advance(10_000); // that look-up is given up
    expect(await renewal).toBe(false);
  });
});
