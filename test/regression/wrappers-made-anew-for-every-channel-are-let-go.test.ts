import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { ChannelServer, type ConnectMessage, type HttpSessionReader, withHttpSession } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

const channelCount = 50;

it('wrappers that a function of the application makes anew for every channel are let go, with all that they were given', async () => {
  const given: WeakRef<HttpSessionReader>[] = [];
  const server = new ChannelServer({
    connect: (message: ConnectMessage) => {
      const sessions: HttpSessionReader = { read: async () => undefined, readById: async () => undefined };
      given.push(new WeakRef(sessions));
      return withHttpSession({ sessions })(() => undefined)(message);
    },
  });
  for (let count = 0; count < channelCount; count += 1) await (await connectTo(server)).disconnect();
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let round = 0; round < 10; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  expect(given).toHaveLength(channelCount);
  expect(given.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(channelCount);
});
