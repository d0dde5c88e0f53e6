import { expect, it } from 'vitest';
import { type Channel, Groups } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** A server that sends nothing before `sending` is settled, and a channel of it that is connecting and in the lobby. */
async function connecting(maxBufferedBytes: number) {
  const groups = new Groups();
  const entered = deferred<Channel>();
  const going = deferred();
  const served = await serve(
    {
      async connect({ channel }) {
        groups.add('lobby', channel);
        entered.resolve(channel);
        await going.promise;
      },
    },
    { maxBufferedBytes },
  );
  const client = WsClient.connect(served.port);
  return { ...served, groups, client, channel: await entered.promise, go: () => going.resolve() };
}

it('what a channel is sent while it is connecting is held, up to eight times maxBufferedBytes, and arrives in order', async () => {
  const { groups, client, go } = await connecting(1_000);
  const texts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(1_000));
  for (const text of texts) expect(groups.send('lobby', text)).toBe(1);
  go();
  const connected = await client;
  for (const text of texts) expect(await connected.next()).toBe(text);
  await connected.close();
});

it('a channel that is sent more than that while it is connecting is refused as one that is too slow, and nothing of it is kept', async () => {
  const { groups, client, channel, go, warnings } = await connecting(1_000);
  for (let count = 0; count < 9; count += 1) expect(channel.send(new Uint8Array(1_000))).toBe(true);
  expect(groups.send('lobby', 'x')).toBe(0);
  expect([groups.sizeOf('lobby'), channel.signal.aborted]).toEqual([0, true]);
  expect((await client).refused).toMatchObject({ status: 503 });
  expect(codesOf(warnings)).toEqual(['ERR_SLOW_CONSUMER']);
  go();
});

it('one message of any length is held beside that, wherever it comes', async () => {
  const { channel, client, go } = await connecting(1_000);
  const texts = ['first', 'x'.repeat(100_000), ...Array.from({ length: 7 }, () => 'y'.repeat(1_000)), 'last'];
  for (const text of texts) expect(channel.send(text)).toBe(true);
  go();
  const connected = await client;
  for (const text of texts) expect(await connected.next()).toBe(text);
  await connected.close();
});
