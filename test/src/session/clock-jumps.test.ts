import { describe, expect, it, vi } from 'vitest';
import { ChannelServer, type SessionScope, type SessionStore, withChannelUser, withUserFromToken } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, type Site } from '../../support/site.js';
import { storeWith } from '../../support/store-with.js';

expectProcessToLive();

const hourMs = 3_600_000;
const ttlMs = 24 * hourMs;
const cookies = { key: aliceKey };

function serve(site: Site, store: SessionStore, scope: SessionScope): ChannelServer {
  return new ChannelServer(
    {
      connect: withUserFromToken({ tokens: site.tokens })(() => undefined),
      receive: withChannelUser((message) => message.channelSession.update('count', (count) => Number(count ?? 0) + 1)),
    },
    { ...site.options, session: { store, scope, ttlMs } },
  );
}

/** A database whose own clock does not jump: expiry is its business alone, and here nothing expires. */
function databaseOf({ store }: Site) {
  const touchMany = vi.fn(async (_ids: readonly string[], _expiresAt: Date) => undefined);
  const database = storeWith(store, {
    create: (id, session) => store.create(id, { ...session, expiresAt: new Date(8.64e15) }),
    save: (id, session, version) => store.save(id, { ...session, expiresAt: new Date(8.64e15) }, version),
    touch: async () => undefined,
    touchMany,
  });
  return { database, touchMany };
}

describe.each<SessionScope>(['channel', 'client'])('a session of scope %s', (scope) => {
  it.each([hourMs, -hourMs, 30 * 24 * hourMs, -30 * 24 * hourMs])(
    'goes on where the wall clock jumps by %i ms, and is touched as before, with fresh dates',
    async (jump) => {
      const site = makeSite();
      const { database, touchMany } = databaseOf(site);
      const client = await connectTo(serve(site, database, scope), { cookies });
      await client.send('1');
      site.clock.jump(jump);
      await client.send('2');
      await site.clock.advance(ttlMs / 3 - 1);
      expect(touchMany).not.toHaveBeenCalled();
      await site.clock.advance(1);
      expect(touchMany.mock.calls.map(([ids, expiresAt]) => [ids.length, expiresAt.getTime()])).toEqual([[1, site.clock.now() + ttlMs]]);
      await client.send('3');
      expect(client.channelSession.get('count')).toBe(3);
      expect([client.closed, codesOf(site.errors)]).toEqual([undefined, []]);
    },
  );
});

describe('a record that is nearly over when a client comes back to it', () => {
  async function comesBack(afterMs: number) {
    const site = makeSite();
    const first = await connectTo(serve(site, site.store, 'client'), { cookies });
    await first.send('x');
    await first.disconnect();
    await site.clock.advance(afterMs);
    const touchMany = vi.spyOn(site.store, 'touchMany');
    const again = await connectTo(serve(site, site.store, 'client'), { cookies });
    return { site, touchMany, again };
  }

  it('is touched soon, since the next round would come too late', async () => {
    const { site, touchMany, again } = await comesBack(ttlMs - 5_000);
    await site.clock.advance(1_000);
    expect(touchMany).toHaveBeenCalledTimes(1);
    await site.clock.advance(ttlMs * 2);
    await again.send('x');
    expect(again.channelSession.get('count')).toBe(2);
    expect(codesOf(site.errors)).toEqual([]);
  });

  it('is one of many that are touched together', async () => {
    const { site, touchMany, again } = await comesBack(ttlMs - 5_000);
    expect(again.closed).toBeUndefined();
    const server = serve(site, site.store, 'client');
    for (let count = 0; count < 10; count += 1) await connectTo(server, { cookies });
    await site.clock.advance(1_000);
    expect(touchMany.mock.calls.length).toBeLessThanOrEqual(2); // one of each server
  });

  it('is not touched before its time where it is young', async () => {
    const { site, touchMany } = await comesBack(1_000);
    await site.clock.advance(ttlMs / 3 - 1);
    expect(touchMany).not.toHaveBeenCalled();
  });
});
