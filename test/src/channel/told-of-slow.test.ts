import { expect, it } from 'vitest';
import { Groups } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';

/**
 * Tells a group of operators of each slow client, by warning and by event; gives how often each came. Not for ever, should they go in a
 * circle.
 */
async function telling(connect: () => Promise<void> | void, mode: (typeof modes)[number]) {
  const groups = new Groups();
  const told = { warnings: 0, events: 0 };
  const { port } = await serve(
    {
      connect: ({ channel }) => {
        groups.add('operators', channel);
        return connect();
      },
    },
    {
      mode,
      maxBufferedBytes: 1_000,
      onWarning() {
        told.warnings += 1;
        if (told.warnings < 10) groups.send('operators', 'a warning');
      },
      onEvent({ type }) {
        if (type !== 'slow-consumer') return;
        told.events += 1;
        if (told.events < 10) groups.send('operators', 'an event');
      },
    },
  );
  const client = await RawClient.upgrade(port);
  return { client, groups, told };
}

it.each(modes)('a slow client is told of once, though it is among those who are told (%s)', async (mode) => {
  const { client, groups, told } = await telling(() => undefined, mode);
  await client.status();
  client.socket.pause();
  for (let count = 0; count < 20 && told.warnings === 0; count += 1) {
    groups.send('operators', 'x'.repeat(20_000_000));
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
  }
  expect(told).toEqual({ warnings: 1, events: 1 });
  expect(groups.sizeOf('operators')).toBe(0);
});

it('one that is still connecting is as well', async () => {
  const going = deferred();
  const { groups, told } = await telling(() => going.promise, 'handleUpgrades');
  while (groups.sizeOf('operators') === 0) await nextTurn();
  for (let count = 0; count < 10; count += 1) groups.send('operators', 'x'.repeat(1_000));
  expect(told).toEqual({ warnings: 1, events: 1 });
  expect(groups.sizeOf('operators')).toBe(0);
  going.resolve();
});
