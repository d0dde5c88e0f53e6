import { expect, it } from 'vitest';
import { ChannelServer, type ConnectMessage, type TokenRepository, withUserFromToken } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { aliceKey } from '../support/site.js';

const channelCount = 50;

/** A server whose application makes a repository, and a wrapper that reads it, for every channel. */
function serve(findById: TokenRepository['findById']) {
  const given: WeakRef<TokenRepository>[] = [];
  const server = new ChannelServer({
    connect: (message: ConnectMessage) => {
      const tokens: TokenRepository = { findById };
      given.push(new WeakRef(tokens));
      return withUserFromToken({ tokens, revalidate: 'message' })(() => undefined)(message);
    },
    receive: () => undefined,
  });
  return { server, given };
}

/** How many of `given` are still there once the garbage is collected; waits for few to be. */
async function leftOf(given: readonly WeakRef<object>[], few: number): Promise<number> {
  const left = (): number => given.filter((reference) => reference.deref() !== undefined).length;
  for (let round = 0; round < 10 && left() > few; round += 1) {
    await collectGarbage();
  }
  return left();
}

it('wrappers that a function of the application makes anew for every channel are let go, with all that they were given', async () => {
  const { server, given } = serve(async () => undefined);
  for (let count = 0; count < channelCount; count += 1) {
    const client = await connectTo(server);
    expect(client.refusal).toBeUndefined();
    await client.disconnect();
  }
  expect(given).toHaveLength(channelCount);
  expect(await leftOf(given, channelCount - 1)).toBeLessThan(channelCount);
});

it('they are let go also where they have identified somebody, and the server always has channels', async () => {
  const { server, given } = serve(async (id) => ({ id, user: { id: 'ann', isAuthenticated: true } }));
  const handshake = { cookies: { key: aliceKey } };
  const staying = await connectTo(server, handshake);
  for (let count = 0; count < channelCount; count += 1) {
    const client = await connectTo(server, handshake);
    await client.send('x');
    expect(client.user.id).toBe('ann');
    await client.disconnect();
  }
  expect(await leftOf(given, 2)).toBeLessThan(channelCount / 2);
  await staying.disconnect();
});
