import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Channel, ChannelServer, withUserFromToken } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { codesOf } from '../../support/site.js';
import { StoppableClock } from '../../support/stoppable-clock.js';
import { closeWithTest, expired, idOf, keyOf, revoked, ScriptedTokens, watch } from './watched.js';

const minute = 60_000;
const day = 86_400_000;

/** A server whose process can be stopped. */
function watchStoppable() {
  const clocks: StoppableClock[] = [];
  const made = watch({
    revalidate: 'connect',
    clockOf(clock) {
      const own = new StoppableClock(clock);
      clocks.push(own);
      return own;
    },
  });
  return { ...made, own: clocks[0]! };
}

describe('a channel', () => {
  it('ends with its token, and not before', async () => {
    const { tokens, connect, clock } = watch();
    tokens.put('ann', { expiresAt: new Date(clock.now() + 10 * minute) });
    tokens.put('bob');
    const clients = [await connect('ann'), await connect('bob')];
    await clock.advance(10 * minute - 1);
    expect(clients[0]?.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(clients.map(({ closed }) => closed)).toEqual([expired, undefined]);
  });

  it.each([1, 400, 1_500, 119_999, 120_001, 30 * day])('whose token lives %i ms more ends then', async (ms) => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + ms) });
    await clock.advance(ms - 1);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
    expect(tokens.asked).toHaveLength(2);
  });

  it.each([-3_600_000, 3_600_000])('is not concerned by a wall clock that is set by %i ms', async (ms) => {
    const { clock, logIn } = watch();
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + 30 * minute) });
    clock.jump(ms);
    await clock.advance(30 * minute - 1);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
  });

  it('goes on where its token was extended, however often', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + minute), scopes: ['read'] });
    for (const minutes of [2, 4]) {
      tokens.put('ann', { expiresAt: new Date(start + minutes * minute), scopes: ['write'] });
      await clock.advance(minutes * minute - 1_000 - (clock.now() - start));
      expect(client.closed).toBeUndefined();
      expect(client.authentication).toMatchObject({ expiresAt: new Date(start + minutes * minute), scopes: ['write'] });
    }
    await clock.advance(2_000);
    expect(client.closed).toEqual(expired);
  });

  it.each([
    ['right before its end, which is looked up only after it', 1],
    ['while it is looked up for the last time, which is answered with what was before, after its end', 101],
  ])('goes on where it is told that its token was extended %s', async (_when, leftMs) => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + minute) });
    await clock.advance(minute - leftMs);
    const answers = deferred();
    tokens.findByIds = async () => {
      const known = new Map(tokens.grants);
      await answers.promise;
      return known;
    };
    await clock.advance(leftMs - 1);
    tokens.put('ann', { expiresAt: new Date(start + 2 * minute) });
    tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
    await clock.advance(200);
    expect(client.closed).toBeUndefined();
    answers.resolve();
    await clock.advance(minute - 300);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_100);
    expect(client.closed).toEqual(expired);
  });

  it('ends within a second of its end where it is looked up again and nobody answers', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + minute) });
    await clock.advance(minute - 50);
    tokens.answers = new Promise(() => undefined);
    tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
    await clock.advance(1_050);
    expect(client.closed).toEqual(expired);
    await clock.advance(5_000);
  });

  it('ends at its end where a hint was answered long before', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + minute) });
    tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
    await clock.advance(minute - 1);
    expect([tokens.asked.length, client.closed]).toEqual([3, undefined]);
    await clock.advance(100);
    expect(client.closed).toEqual(expired);
  });

  it('ends at its end where a hint of another is not answered', async () => {
    const { tokens, connect, clock } = watch({ revalidate: 'connect' });
    tokens.put('ann', { expiresAt: new Date(clock.now() + minute) });
    tokens.put('bob');
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    await clock.advance(minute - 50); // ann's own look-up is answered
    tokens.answers = new Promise(() => undefined);
    tokens.revocations.tell({ tokenId: idOf('bob'), hint: true });
    await clock.advance(150);
    expect([ann.closed, bob.closed]).toEqual([expired, undefined]);
    await clock.advance(5_000);
  });

  it('ends where it is found that its token has ended, though hints come faster than answers', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + minute) });
    tokens.findByIds = async () => {
      await nextTurn();
      tokens.revocations.tell({ userId: 'ann', hint: true });
      return new Map(tokens.grants);
    };
    tokens.put('ann', { expiresAt: new Date(start - minute) });
    tokens.revocations.tell({ userId: 'ann', hint: true });
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
  });

  it.each([true, false])('whose end falls into a pause of the process is looked up before it ends (extended: %s)', async (isExtended) => {
    const { tokens, clock, own, logIn } = watchStoppable();
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + minute) });
    await clock.advance(minute - 1_000);
    own.isStopped = true;
    await clock.advance(30_000);
    if (isExtended) tokens.put('ann', { expiresAt: new Date(start + 10 * minute) });
    own.resume();
    await clock.advance(20);
    expect(client.closed).toEqual(isExtended ? undefined : expired);
  });

  it.each(['its end', 'a hint'])(
    'does not end while the answer that %s asks for lies unread after a pause of the process',
    async (what) => {
      const { tokens, clock, own, logIn } = watchStoppable();
      const start = clock.now();
      const client = await logIn('ann', { expiresAt: new Date(start + minute) });
      const answered = deferred();
      await clock.advance(minute - (what === 'a hint' ? 20 : 200));
      tokens.answers = answered.promise;
      if (what === 'a hint') tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
      await clock.advance(what === 'a hint' ? 10 : 150);
      own.isStopped = true;
      await clock.advance(30_000);
      tokens.put('ann', { expiresAt: new Date(start + 10 * minute) });
      own.resume();
      answered.resolve();
      await clock.advance(20);
      expect(client.closed).toBeUndefined();
    },
  );

  it('whose end falls into a pause of the process ends within a second after it where nobody answers', async () => {
    const { tokens, clock, own, logIn } = watchStoppable();
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + minute / 2) });
    own.isStopped = true;
    await clock.advance(minute / 2 + 5_000);
    tokens.answers = new Promise(() => {});
    own.resume();
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
    await clock.advance(5_000); // that look-up is given up
  });

  it('ends sooner where a sweep finds that its token does', async () => {
    const { tokens, clock, logIn } = watch();
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + day) });
    tokens.put('ann', { expiresAt: new Date(start + 90_000) });
    await clock.advance(89_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
  });

  it('whose token is found revoked right before its end says so', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + minute) });
    tokens.put('ann', { expiresAt: new Date(clock.now() + minute), revokedAt: new Date(clock.now()) });
    await clock.advance(minute);
    expect(client.closed).toEqual(revoked);
  });

  it.each(['fails', 'hangs'])('ends with its token where the repository %s', async (how) => {
    const { tokens, clock, errors, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann', { expiresAt: new Date(clock.now() + minute) });
    if (how === 'fails') tokens.fails(true);
    else tokens.answers = new Promise(() => undefined);
    await clock.advance(minute + 1_000);
    expect(client.closed).toEqual(expired);
    await clock.advance(5_000);
    expect(codesOf(errors)).toEqual([how === 'fails' ? 'ERR_LOOKUP_FAILED' : 'ERR_LOOKUP_TIMEOUT']);
  });

  it('that is still connecting is refused when its token ends', async () => {
    const [clock, tokens] = [new TestClock(), new ScriptedTokens()];
    tokens.put('ann', { expiresAt: new Date(clock.now() + 1_000) });
    const connect = withUserFromToken({ tokens })(() => new Promise(() => undefined));
    const server = new ChannelServer({ connect }, { clock });
    closeWithTest(server, clock);
    const connecting = connectTo(server, { cookies: { key: keyOf('ann') } });
    await clock.advance(2_000);
    expect((await connecting).refusal).toEqual({ status: 401 });
  });
});

it('two thousand tokens that end in the same second are asked for in ten commands at most', async () => {
  const { tokens, connect, clock } = watch({ revalidate: 'connect' });
  const names = Array.from({ length: 2_000 }, (_, index) => `user${index}`);
  const end = clock.now() + 10 * minute;
  for (const [index, name] of names.entries()) tokens.put(name, { expiresAt: new Date(end + (index % 1_000)) });
  const clients = await Promise.all(names.map(connect));
  tokens.asked.length = 0;
  await clock.advance(10 * minute - 1);
  expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([]);
  await clock.advance(2_000);
  expect(clients.filter(({ closed }) => closed?.reason !== 'token expired')).toEqual([]);
  expect(tokens.asked.length).toBeLessThanOrEqual(10);
});

it('a thousand channels whose tokens end at once are ended some hundreds a turn', async () => {
  const endedInTurns = [0];
  const disconnect = (): void => {
    if (endedInTurns[0] === 0) setImmediate(() => endedInTurns.unshift(0));
    endedInTurns[0]! += 1;
  };
  const { clock, logIn } = watch({ revalidate: 'connect', handlers: { disconnect } });
  const names = Array.from({ length: 1_000 }, (_, index) => `user${index}`);
  await Promise.all(names.map((name) => logIn(name, { expiresAt: new Date(clock.now() + minute) })));
  await clock.advance(minute + 1_000);
  expect(endedInTurns.reduce((sum, count) => sum + count)).toBe(1_000);
  expect(Math.max(...endedInTurns)).toBeLessThan(500);
});

describe('a token that was exchanged for another', () => {
  it('hands its channels over to that one', async () => {
    const { tokens, clock, server, logIn } = watch({ revalidate: 'connect' });
    const start = clock.now();
    const client = await logIn('ann', { expiresAt: new Date(start + minute) });
    tokens.put('ann', { expiresAt: new Date(start + minute), successorId: idOf('ann-2') });
    tokens.put('ann', { expiresAt: new Date(start + 10 * minute), successorId: idOf('ann-3') }, 'ann-2');
    tokens.put('ann', { expiresAt: new Date(start + 20 * minute), scopes: ['all'] }, 'ann-3');
    await clock.advance(minute + 1_000);
    expect(client.closed).toBeUndefined();
    expect(client.channel.tokenId).toBe(idOf('ann-3'));
    expect(client.authentication).toEqual({
      outcome: 'ok',
      source: 'token',
      carrier: 'cookie',
      tokenId: idOf('ann-3'),
      expiresAt: new Date(start + 20 * minute),
      scopes: ['all'],
    });
    expect(server.channels.ofToken(idOf('ann'))).toEqual([]);
    expect(server.channels.ofToken(idOf('ann-3'))).toEqual([client.channel]);
    expect(server.channels.ofUser('ann')).toEqual([client.channel]);
    tokens.revocations.tell({ tokenId: idOf('ann-3') });
    expect(client.closed).toEqual(revoked);
  });

  it.each([
    ['is of another user', { user: { id: 'bob', isAuthenticated: true as const } }],
    ['is revoked', { revokedAt: new Date(0) }],
    ['has expired', { expiresAt: new Date(0) }],
    ['is of a user who was disabled', { user: undefined }],
  ])('ends its channels where that one %s', async (_how, successor) => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const expiresAt = new Date(clock.now() + minute);
    const client = await logIn('ann', { expiresAt });
    tokens.put('ann', { expiresAt, successorId: idOf('ann-2') });
    tokens.put('ann', successor, 'ann-2');
    await clock.advance(minute + 1_000);
    expect(client.closed).toEqual(expired);
  });

  it('and exchanged in a circle ends its channels when it ends', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const expiresAt = new Date(clock.now() + minute);
    const client = await logIn('ann', { expiresAt });
    tokens.put('ann', { expiresAt, successorId: idOf('ann-2') });
    tokens.put('ann', { expiresAt, successorId: idOf('ann') }, 'ann-2');
    await clock.advance(minute + 1_000);
    expect(client.closed).toEqual(expired);
    expect(tokens.asked.length).toBeLessThan(40);
  });
});

describe('onExpiring', () => {
  it('is told a minute before the end, once for each end, or at once where less is left', async () => {
    const told: [Channel, number][] = [];
    const { tokens, connect, clock } = watch({ onExpiring: (channel, inMs) => void told.push([channel, inMs]) });
    const start = clock.now();
    tokens.put('ann', { expiresAt: new Date(start + 10 * minute) });
    tokens.put('bob', { expiresAt: new Date(start + 20_000) });
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    await clock.advance(1);
    expect(told).toEqual([[bob.channel, 20_000]]);
    await clock.advance(9 * minute - 2);
    expect(told).toHaveLength(1);
    await clock.advance(1);
    expect(told[1]).toEqual([ann.channel, minute]);
    tokens.put('ann', { expiresAt: new Date(start + 15 * minute) });
    await clock.advance(5 * minute);
    expect(told.slice(2)).toEqual([[ann.channel, minute]]);
    expect([ann.closed, bob.closed]).toEqual([undefined, expired]);
    await clock.advance(minute + 1_000);
    expect(ann.closed).toEqual(expired);
  });

  it('may throw, reject or close the channel', async () => {
    let calls = 0;
    const { tokens, connect, clock, errors } = watch({
      onExpiring: (channel) => {
        calls += 1;
        if (calls === 1) throw new Error('no');
        if (calls === 2) return Promise.reject(new Error('no')) as never;
        channel.close(4000, 'bye');
      },
    });
    const expiresAt = new Date(clock.now() + 2 * minute);
    for (const name of ['a', 'b', 'c']) tokens.put(name, { expiresAt });
    const clients = [await connect('a'), await connect('b'), await connect('c')];
    await clock.advance(minute + 1);
    expect(errors).toHaveLength(1);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined, { code: 4000, reason: 'bye' }]);
  });
});
