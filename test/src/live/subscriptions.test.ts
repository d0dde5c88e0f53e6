import { describe, expect, it } from 'vitest';
import { type ChannelEvent, ChannelServer, container, REVOCATION_FEED, withUserFromToken } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { codesOf } from '../../support/site.js';
import { idOf, inactive, keyOf, revoked, ScriptedFeed, ScriptedTokens, watch } from './watched.js';

describe('a server', () => {
  it('subscribes with its first look-up, which waits for that, once; and ends the subscription when it closes', async () => {
    const feed = new ScriptedFeed();
    const opening = deferred();
    feed.opening = opening.promise;
    const { tokens, connect, clock, server, warnings } = watch({ revocations: feed });
    tokens.put('ann');
    expect(feed.subscriptions).toBe(0);
    const connecting = [connect('ann'), connect('ann')];
    await clock.advance(1_000);
    expect(tokens.asked).toEqual([]);
    opening.resolve();
    for (const client of await Promise.all(connecting)) expect(client.refusal).toBeUndefined();
    await connect('ann');
    expect(feed.subscriptions).toBe(1);
    await server.close();
    expect(feed.ended).toBe(1);
    feed.tell({ userId: 'ann' });
    feed.gap();
    feed.health?.failed(new Error('gone'));
    feed.health?.restored();
    expect(warnings).toEqual([]);
  });

  it('refuses with 503 whom it lets wait too long for a subscription that hangs, then lets others in', async () => {
    const feed = new ScriptedFeed();
    feed.opening = new Promise(() => undefined);
    const { tokens, connect, clock, warnings } = watch({ revocations: feed });
    tokens.put('ann');
    const connecting = connect('ann');
    await clock.advance(5_000);
    expect((await connecting).refusal).toEqual({ status: 503 });
    expect(codesOf(warnings)).toEqual(['ERR_REVOCATION_FEED_FAILED']);
    expect((await connect('ann')).refusal).toBeUndefined();
  });

  it('tries again what fails, later each time, and looks all channels up again when it has succeeded', async () => {
    const feed = new ScriptedFeed();
    feed.opening = Promise.reject(new Error('not now'));
    feed.opening.catch(() => undefined);
    const states: string[] = [];
    const onEvent = (event: ChannelEvent): void => void (event.type === 'feed' && states.push(event.state));
    const { tokens, clock, warnings, logIn } = watch({ revocations: feed, revalidate: 'connect', onEvent });
    const client = await logIn('ann');
    expect(client.refusal).toBeUndefined();
    await clock.advance(3_000);
    expect(feed.subscriptions).toBe(3);
    tokens.grants.clear();
    feed.opening = Promise.resolve();
    await clock.advance(4_000);
    expect(feed.subscriptions).toBe(4);
    expect(codesOf(warnings)).toEqual(Array(3).fill('ERR_REVOCATION_FEED_FAILED'));
    expect(states).toEqual(['failed', 'failed', 'failed', 'restored']);
    expect(client.closed).toEqual(revoked);
  });

  it('warns once a minute of a feed that cannot go on, tells an event of each attempt, and sweeps meanwhile', async () => {
    const feed = new ScriptedFeed();
    const events: ChannelEvent[] = [];
    const { tokens, clock, warnings, logIn } = watch({ revocations: feed, onEvent: (event) => void events.push(event) });
    const client = await logIn('ann');
    const cause = new Error('the database is gone');
    for (let times = 0; times < 7; times += 1) {
      feed.health?.failed(cause);
      await clock.advance(10_000);
    }
    expect(codesOf(warnings)).toEqual(Array(2).fill('ERR_REVOCATION_FEED_FAILED'));
    expect(warnings[0]?.cause).toBe(cause);
    tokens.grants.clear();
    await clock.advance(60_000);
    expect(client.closed).toEqual(revoked);
    feed.health?.restored();
    feed.health?.restored();
    feed.health?.failed(cause);
    expect(events.flatMap((event) => (event.type === 'feed' ? [[event.state, event.failures, event.downMs]] : []))).toEqual([
      ...Array.from({ length: 7 }, (_, index) => ['failed', index + 1, index * 10_000]),
      ['restored', 7, 130_000],
      ['failed', 1, 0],
    ]);
    expect(warnings.length).toBe(3);
    feed.health?.restored();
    feed.health?.failed(cause);
    expect(warnings.length, 'another outage is told at once').toBe(4);
  });

  it('looks all channels up again, in one batch, when its feed may have missed something', async () => {
    const feed = new ScriptedFeed();
    const { tokens, connect, clock } = watch({ revocations: feed });
    for (const name of ['ann', 'bob']) tokens.put(name);
    const clients = [await connect('ann'), await connect('bob')];
    tokens.asked.length = 0;
    tokens.grants.delete(idOf('bob'));
    for (let times = 0; times < 5; times += 1) feed.gap();
    await clock.advance(0);
    expect(tokens.asked).toHaveLength(1);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, revoked]);
  });

  it('warns where its subscription does not end in order, and closes all the same', async () => {
    const feed = new ScriptedFeed();
    const cause = new Error('it is gone already');
    const subscribe = feed.subscribe.bind(feed);
    feed.subscribe = async (...told) => ({ ...(await subscribe(...told)), [Symbol.asyncDispose]: () => Promise.reject(cause) });
    const { logIn, server, warnings } = watch({ revocations: feed });
    await logIn('ann');
    await server.close();
    expect(codesOf(warnings)).toEqual(['ERR_REVOCATION_FEED_FAILED']);
    expect(warnings[0]?.cause).toBe(cause);
  });

  it('takes the feed that is registered', async () => {
    const feed = new ScriptedFeed();
    const child = container.createChildContainer();
    child.register(REVOCATION_FEED, { useValue: feed });
    const { logIn } = watch({ container: child });
    const client = await logIn('ann');
    feed.tell({ userId: 'ann' });
    expect(client.closed).toEqual(inactive);
  });

  it('that identifies nobody subscribes to nothing', async () => {
    const feed = new ScriptedFeed();
    const server = new ChannelServer({ receive: () => undefined }, { revocations: feed });
    await connectTo(server);
    expect(feed.subscriptions).toBe(0);
    await server.close();
  });

  it('listens to the repository of a wrapper that it cannot see, once that has identified somebody', async () => {
    const feed = new ScriptedFeed();
    const tokens = Object.assign(new ScriptedTokens(), { revocations: feed });
    tokens.put('ann');
    const server = new ChannelServer({ connect: (message) => withUserFromToken({ tokens })(() => undefined)(message) });
    const client = await connectTo(server, { cookies: { key: keyOf('ann') } });
    await Promise.resolve();
    feed.tell({ tokenId: idOf('ann') });
    expect(client.closed).toEqual(revoked);
    await client.disconnect();
    expect(feed.ended, 'each channel may have a repository of its own').toBe(1);
    await server.close();
  });
});
