import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { frame, RawClient } from '../../support/raw-client.js';
import { nextTurn, serve } from '../../support/serving.js';

it('what a client sends before its answer arrives in order, also what it sends while a verifyClient takes its time', async () => {
  const [entered, verifying] = [deferred<IncomingMessage>(), deferred<(isAllowed: boolean) => void>()];
  const going = deferred();
  const received: string[] = [];
  const { port } = await serve(
    {
      connect({ request }) {
        entered.resolve(request);
        return going.promise;
      },
      receive: ({ text }) => void received.push(text),
    },
    { upgrades: { ws: { verifyClient: (_info, done) => verifying.resolve(done) } } },
  );
  const client = await RawClient.upgrade(port);
  const { socket } = await entered.promise;
  for (const text of ['one', 'two']) {
    const before = socket.bytesRead;
    client.write(frame(text));
    while (socket.bytesRead === before) await nextTurn();
  }
  going.resolve();
  const verified = await verifying.promise;
  client.write(frame('three'));
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  verified(true);
  expect(await client.status()).toBe(101);
  await eventually(() => expect(received).toEqual(['one', 'two', 'three']));
});
