import { expect, it } from 'vitest';
import { type ChannelConnection, openOnOwner } from '../../../adapters/redis/channel-connection.js';

const connection: ChannelConnection = { ping: async () => undefined, close: () => undefined };
const moved = new Error('MOVED 42 127.0.0.1:7001');
const down = new Error('down');

it.each<[string, readonly (ChannelConnection | Error)[], ChannelConnection | Error, number]>([
  ['the one after others from which it has moved', [moved, moved, connection], connection, 3],
  ['none, where one cannot be asked, which is told', [moved, down, connection], down, 2],
  ['none, where it has moved from each', [moved, moved], moved, 2],
])('of the nodes of a cluster a channel is opened on %s', async (_which, nodes, outcome, count) => {
  let asked = 0;
  const opened = openOnOwner(nodes, async (node) => {
    asked += 1;
    if (node instanceof Error) throw node;
    return node;
  });
  expect(await opened.catch((error: unknown) => error)).toBe(outcome);
  expect(asked).toBe(count);
});

it('of a cluster of no nodes none is opened', async () => {
  await expect(openOnOwner([], async () => connection)).rejects.toThrow(Error);
});
