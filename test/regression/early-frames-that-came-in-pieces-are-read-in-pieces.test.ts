import { expect, it } from 'vitest';
import { deferred } from '../support/deferred.js';
import { eventually } from '../support/eventually.js';
import { frame, RawClient } from '../support/raw-client.js';
import { nextTurn, serve } from '../support/serving.js';

const frameCount = 20_000;

it('20,000 small frames sent while connect is pending are all handled: the socket is paused between the pieces in which they came', async () => {
  const connecting = deferred();
  const everything = deferred();
  const received: number[] = [];
  const { port, channels, warnings } = await serve({
    connect: () => connecting.promise,
    receive: async (message) => {
      await nextTurn();
      received.push(Number(message.text));
      if (received.length === frameCount) everything.resolve();
    },
  });
  const client = await RawClient.upgrade(port);
  client.write(Buffer.concat(Array.from({ length: frameCount }, (_, index) => frame(String(index)))));
  await eventually(() => expect(client.socket.writableLength).toBe(0));
  for (let turn = 0; turn < 50; turn += 1) await nextTurn(); // the server reads meanwhile
  connecting.resolve();
  await everything.promise;
  expect(received).toEqual(Array.from({ length: frameCount }, (_, index) => index));
  expect(warnings).toEqual([]);
  expect(channels.channels.size).toBe(1);
});
