import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { ChannelServer, type ConnectMessage, type TokenRepository, withUserFromToken } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

const channelCount = 50;

it('wrappers that a function of the application makes anew for every channel are let go, with all that they were given', async () => {
  const given: WeakRef<TokenRepository>[] = [];
  const server = new ChannelServer({
    connect: (message: ConnectMessage) => {
      const tokens: TokenRepository = { findById: async () => undefined };
      given.push(new WeakRef(tokens));
      return withUserFromToken({ tokens })(() => undefined)(message);
    },
  });
  for (let count = 0; count < channelCount; count += 1) {
    const client = await connectTo(server);
    expect(client.refusal).toBeUndefined();
    await client.disconnect();
  }
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  expect(given).toHaveLength(channelCount);
  const isOneLetGo = (): boolean => given.some((reference) => reference.deref() === undefined);
  for (let round = 0; round < 10 && !isOneLetGo(); round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  expect(isOneLetGo()).toBe(true);
});
