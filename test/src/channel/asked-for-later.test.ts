import { describe, expect, it } from 'vitest';
import { ChannelServer, type TokenId, withUserFromToken } from '../../../entries/index.js';
import { MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { frame, RawClient, waysToLeave } from '../../support/raw-client.js';
import { modes, serve } from '../../support/serving.js';

const cases = modes.flatMap((mode) => (['FIN', 'RST'] as const).map((way) => ({ mode, way })));

describe('what is asked of a channel late', () => {
  it.each(cases)('the address of a peer that has left is known to disconnect ($mode, $way)', async ({ mode, way }) => {
    const connected = deferred();
    const told = deferred<string | undefined>();
    const handlers = {
      connect: () => connected.resolve(),
      disconnect: ({ request }: { request: { address?: string | undefined } }) => told.resolve(request.address),
    };
    const { port } = await serve(handlers, { mode });
    const client = await RawClient.upgrade(port);
    await connected.promise;
    waysToLeave[way](client);
    expect(await told.promise).toBe('127.0.0.1');
  });

  it.each(cases)('the address of a peer that has left meanwhile is known to a receive handler ($mode, $way)', async ({ mode, way }) => {
    const begun = deferred();
    const left = deferred();
    const told = deferred<string | undefined>();
    const { port } = await serve(
      {
        receive: async (message) => {
          message.signal.addEventListener('abort', () => left.resolve());
          begun.resolve();
          await left.promise;
          told.resolve(message.request.address);
        },
      },
      { mode },
    );
    const client = await RawClient.upgrade(port);
    client.write(frame('hello'));
    await begun.promise;
    waysToLeave[way](client);
    expect(await told.promise).toBe('127.0.0.1');
  });

  it('its id is one and the same, and finds it as long as its connection is there', async () => {
    const server = new ChannelServer({ connect: () => undefined });
    const [first, second] = [await connectTo(server), await connectTo(server)];
    expect(server.channels.size).toBe(2);
    const { id } = first.channel;
    expect(first.channel.id).toBe(id);
    expect(second.channel.id).not.toBe(id);
    expect(server.channels.get(id)).toBe(first.channel);
    expect([...server.channels]).toEqual([first.channel, second.channel]);
    await first.disconnect();
    expect(server.channels.get(id)).toBeUndefined();
    expect(server.channels.size).toBe(1);
    expect([...server.channels]).toEqual([second.channel]);
  });

  it('an id that is asked for while connect is pending finds the channel only once connect has succeeded', async () => {
    const asked = deferred<string>();
    const connecting = deferred();
    const server = new ChannelServer({
      connect: async ({ channel }) => {
        asked.resolve(channel.id);
        await connecting.promise;
      },
    });
    const pending = connectTo(server);
    const id = await asked.promise;
    expect(server.channels.get(id)).toBeUndefined();
    connecting.resolve();
    const client = await pending;
    expect(server.channels.get(id)).toBe(client.channel);
  });

  it('an id that is asked for when the connection is gone finds nothing', async () => {
    const server = new ChannelServer({ connect: () => undefined });
    const client = await connectTo(server);
    await client.disconnect();
    expect(server.channels.get(client.channel.id)).toBeUndefined();
  });

  it('who looks for a user or a token first finds those that came before, connecting ones included, and later nobody who has left', async () => {
    const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]) });
    const [{ key, id }, other] = [await tokens.issue('ann'), await tokens.issue('ann')];
    const begun = deferred();
    const connecting = deferred();
    const server = new ChannelServer({
      connect: withUserFromToken({ tokens })(async ({ request }) => {
        if (request.url !== '/slow') return;
        begun.resolve();
        await connecting.promise;
      }),
    });
    const first = await connectTo(server, { cookies: { key } });
    const left = await connectTo(server, { cookies: { key } });
    const second = await connectTo(server, { cookies: { key: other.key } });
    await left.disconnect();
    const pending = connectTo(server, { cookies: { key }, url: '/slow' });
    await begun.promise;
    const found = server.channels.ofUser('ann');
    expect(found.slice(0, 2)).toEqual([first.channel, second.channel]);
    expect(found.length).toBe(3);
    expect(server.channels.ofToken(id)).toEqual([first.channel, found[2]]);
    connecting.resolve();
    expect((await pending).channel).toBe(found[2]);
    await first.disconnect();
    const last = await connectTo(server, { cookies: { key } });
    expect(server.channels.ofUser('ann')).toEqual([second.channel, found[2], last.channel]);
    expect(await server.disconnectToken(id)).toBe(2);
    expect(server.channels.ofUser('ann')).toEqual([second.channel]);
  });

  it.each([false, true])(
    'the channels of a user are in the order in which they came, whosever look-up took longer (asked before: %s)',
    async (isAskedBefore) => {
      const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]) });
      const [slow, quick] = [await tokens.issue('ann'), await tokens.issue('ann')];
      const begun = deferred();
      const looking = deferred();
      const findById = async (id: TokenId) => {
        if (id === slow.id) {
          begun.resolve();
          await looking.promise;
        }
        return tokens.findById(id);
      };
      const server = new ChannelServer({ connect: withUserFromToken({ tokens: { findById } })(() => undefined) });
      if (isAskedBefore) expect(server.channels.ofUser('ann')).toEqual([]);
      const pending = connectTo(server, { cookies: { key: slow.key } });
      await begun.promise;
      const second = await connectTo(server, { cookies: { key: quick.key } });
      looking.resolve();
      const first = await pending;
      expect(server.channels.ofUser('ann').map(({ id }) => id)).toEqual([first.channel.id, second.channel.id]);
    },
  );
});
