import { expect, it } from 'vitest';
import { withUserFromToken } from '../../entries/index.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { deferred } from '../support/deferred.js';
import { eventually } from '../support/eventually.js';
import { frame, RawClient } from '../support/raw-client.js';
import { serve } from '../support/serving.js';

const clientCount = 10;
const earlyBytes = 400_000;

it('what a client sent before it left is let go, even while a repository holds on to its look-up', async () => {
  const held = Array.from({ length: clientCount }, () => deferred<undefined>());
  let lookUps = 0;
  let left = 0;
  const tokens = { findById: () => (held[lookUps++] as (typeof held)[number]).promise };
  const { port, http } = await serve({ connect: withUserFromToken({ tokens })(() => undefined) });
  http.on('connection', (socket) => socket.once('close', () => (left += 1)));
  await collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 1; count <= clientCount; count += 1) {
    const client = await RawClient.upgrade(port, { headers: { Cookie: `key=${'a'.repeat(40)}` }, head: frame(Buffer.alloc(earlyBytes)) });
    await eventually(() => expect(lookUps).toBe(count));
    client.reset();
    await eventually(() => expect(left).toBe(count));
  }
  const most = before + clientCount * earlyBytes * 0.25;
  for (let round = 0; round < 5 && process.memoryUsage().arrayBuffers >= most; round += 1) {
    await collectGarbage();
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(most);
  for (const { resolve } of held) resolve(undefined);
});
