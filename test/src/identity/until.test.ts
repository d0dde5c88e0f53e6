import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  defineSource,
  fromHttpSession,
  fromToken,
  identifyKey,
  type SourceFinding,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import type { ChannelEvent } from '../../../src/events.js';
import { fakeRequest } from '../../../testing/fake-request.js';
import { alice, bobKey, codesOf, expectProcessToLive, aliceKey as key, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

const minute = 60_000;

/** A server of all kinds of sources, those of the site's sessions and of one's own ending in an hour. */
function ending(kind: 'token' | 'http-session' | 'own', revalidate?: 'message') {
  const site = makeSite();
  const { tokens, sessions, users, clock } = site;
  const until = new Date(clock.now() + 60 * minute);
  const options = { until, revalidate };
  const own = (): SourceFinding => ({ outcome: 'ok', user: alice });
  const source = {
    token: fromToken({ tokens, ...options }),
    'http-session': fromHttpSession({ sessions, users, ...options }),
    own: defineSource('own', own, { ...options, recheck: () => ({ outcome: 'ok' }) }),
  }[kind];
  const events: ChannelEvent[] = [];
  const server = new ChannelServer(
    { connect: withUserFrom(source)(() => {}), receive: () => {} },
    { ...site.options, onEvent: (event) => void events.push(event) },
  );
  const connect = () => connectTo(server, { cookies: { key, sessionid: sessions.create('alice') } });
  const identifications = () => events.filter(({ type }) => type === 'identification');
  return { ...site, until, server, connect, identifications };
}

describe.each(['token', 'http-session', 'own'] as const)('a source with until (%s)', (kind) => {
  it('finds users before that, warns of it seldom, and tells of it with each identification', async () => {
    const { connect, clock, until, warnings, identifications } = ending(kind);
    const client = await connect();
    expect(client.authentication).toMatchObject({ outcome: 'ok', source: kind, expiresAt: until });
    await connect();
    expect(codesOf(warnings)).toEqual(['ERR_SOURCE_ENDING']);
    await clock.advance(minute);
    await connect();
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_SOURCE_ENDING', 'ERR_SOURCE_ENDING']);
    expect(identifications()).toMatchObject(Array(3).fill({ outcome: 'ok', source: kind, until }));
  });

  it('finds nobody from then on: what would count has expired', async () => {
    const { connect, clock, warnings, identifications } = ending(kind);
    await clock.advance(60 * minute);
    const client = await connect();
    expect([client.user.id, client.authentication]).toMatchObject([null, { outcome: 'expired', source: kind, hasSourceEnded: true }]);
    expect(codesOf(warnings)).toEqual(['ERR_SOURCE_ENDING']);
    expect(identifications()).toMatchObject([{ outcome: 'expired', source: kind, hasSourceEnded: true }]);
  });

  it.each([undefined, 'message'] as const)('ends its live channels then, however often they were asked for (%s)', async (revalidate) => {
    const { connect, clock } = ending(kind, revalidate);
    const client = await connect();
    await client.send('hello');
    await clock.advance(60 * minute - 1);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual({ code: 3000, reason: kind === 'http-session' ? 'session ended' : 'token expired' });
  });

  it('serves and ends the same for requests without a channel', async () => {
    const { server, sessions, clock, warnings } = ending(kind);
    const request = () => fakeRequest({ cookies: { key, sessionid: sessions.create('alice') } });
    expect((await server.identify(request())).user.id).toBe('alice');
    await clock.advance(60 * minute);
    expect((await server.identify(request())).authentication.outcome).toBe('expired');
    expect(codesOf(warnings)).toEqual(['ERR_SOURCE_ENDING', 'ERR_SOURCE_ENDING']);
  });
});

describe('until', () => {
  it('lengthens no token, and lets the other sources of a server be', async () => {
    const { tokens, sessions, users, clock, options } = makeSite();
    const until = new Date(clock.now() + minute);
    const connect = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users, until }))(() => {});
    const server = new ChannelServer({ connect }, options);
    const { key: short } = await tokens.issue('bob', { ttlMs: 1_000 });
    const shortLived = await connectTo(server, { cookies: { key: short } });
    const byToken = await connectTo(server, { cookies: { key, sessionid: sessions.create('bob') } });
    const bySession = await connectTo(server, { cookies: { sessionid: sessions.create('bob') } });
    expect(server.channels.countBySource()).toEqual({ token: 2, 'http-session': 1 });
    await clock.advance(2_000);
    expect(shortLived.closed).toEqual({ code: 3000, reason: 'token expired' });
    await clock.advance(minute);
    expect([byToken.closed, bySession.closed]).toEqual([undefined, { code: 3000, reason: 'session ended' }]);
    await connectTo(server);
    expect(server.channels.countBySource()).toEqual({ token: 1, anonymous: 1 });
  });

  it('is told as the end of a token that lasts longer, and of no other', async () => {
    const { tokens, clock, options } = makeSite();
    const until = new Date(clock.now() + minute);
    const handlers = { connect: withUserFromToken({ tokens, until })(() => {}) };
    const endOf = async (ttlMs: number) => {
      const issued = await tokens.issue('bob', { ttlMs });
      return (await connectTo(handlers, { ...options, cookies: { key: issued.key } })).authentication?.expiresAt;
    };
    expect(await endOf(minute - 1)).toEqual(new Date(until.getTime() - 1));
    expect(await endOf(minute + 1)).toEqual(until);
  });

  it('is no outcome of what would not have counted anyhow', async () => {
    const { tokens, options } = makeSite();
    const handlers = { connect: withUserFromToken({ tokens, until: new Date(0) })(() => {}) };
    const outcomeOf = async (value: string) => (await connectTo(handlers, { ...options, cookies: { key: value } })).authentication;
    expect(await outcomeOf('f'.repeat(40))).toMatchObject({ outcome: 'unknown' });
    expect(await outcomeOf('short')).toMatchObject({ outcome: 'malformed' });
    expect(await outcomeOf(key)).toMatchObject({ outcome: 'expired', hasSourceEnded: true });
  });

  it('lets a channel go over to a token of a source that lives on', async () => {
    const { tokens, clock, options } = makeSite();
    const until = new Date(clock.now() + minute);
    const old = fromToken({ tokens, until });
    const other = defineSource('new', (): SourceFinding => ({ outcome: 'missing' }), {
      findByKey: (one) => (one === bobKey ? { outcome: 'ok', user: alice } : { outcome: 'unknown' }),
    });
    const client = await connectTo({ connect: withUserFrom(old, other)(() => {}) }, { ...options, cookies: { key } });
    expect(await client.channel.reauthenticate(bobKey)).toBe(true);
    expect(client.authentication).toEqual({ outcome: 'ok', source: 'new', carrier: 'cookie' });
    await clock.advance(2 * minute);
    expect(client.closed).toBeUndefined();
  });

  it('ends the keys of a source, too', async () => {
    const { tokens } = makeSite();
    const { authentication } = await identifyKey(key, { source: fromToken({ tokens, until: new Date(0) }) });
    expect(authentication).toMatchObject({ outcome: 'expired', source: 'token', hasSourceEnded: true });
  });

  it('must be a valid date', () => {
    for (const until of ['2030-01-01', 0, new Date(Number.NaN), null, {}]) {
      expect(thrownBy(() => fromToken({ until } as never))).toBeInstanceOf(TypeError);
      expect(thrownBy(() => fromHttpSession({ until } as never))).toBeInstanceOf(TypeError);
    }
  });
});
