import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { deferred } from '../../support/deferred.js';
import { type Mode, modes, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

/** Every kind of bytes that `send` takes, over one buffer that the application uses again. */
const kinds: Readonly<Record<string, (bytes: ArrayBuffer) => Uint8Array | ArrayBuffer>> = {
  'a Buffer': (bytes) => Buffer.from(bytes),
  'a Uint8Array': (bytes) => new Uint8Array(bytes),
  'a part of a Buffer': (bytes) => Buffer.from(bytes).subarray(1, -1),
  'an ArrayBuffer': (bytes) => bytes,
};

const views: Readonly<Record<string, (bytes: ArrayBuffer) => ArrayBufferView>> = {
  'a Float64Array': (bytes) => new Float64Array(bytes, 8),
  'a Uint16Array': (bytes) => new Uint16Array(bytes, 2, 3),
  'a DataView': (bytes) => new DataView(bytes, 3, 5),
};

function bytesOf(data: ArrayBufferView | ArrayBuffer): Buffer {
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  return Buffer.from(bytes);
}

const cases = Object.entries({ ...kinds, ...views } as typeof kinds).flatMap(([kind, make]) =>
  [16, 20_000, 200_000].map((size) => ({ kind, make, size })),
);

interface ResizableBuffer extends ArrayBuffer {
  resize(bytes: number): void;
}

/** The compiler's library of the language's present version does not know them yet. */
function resizableBuffer(byteLength: number, maxByteLength: number): ResizableBuffer {
  return Reflect.construct(ArrayBuffer, [byteLength, { maxByteLength }]) as ResizableBuffer;
}

/** Answers two clients with the same bytes, which are overwritten as soon as they are sent; gives whether all arrived as they were. */
async function arriveAsTheyWere(
  make: (bytes: ArrayBuffer) => Uint8Array | ArrayBuffer,
  size: number,
  mode: Mode,
  perMessageDeflate = false,
): Promise<boolean> {
  const shared = new ArrayBuffer(size);
  const data = make(shared);
  const expected: string[] = [];
  const { port } = await serve(
    {
      receive: ({ channel, text }) => {
        new Uint8Array(shared).fill(Number(text));
        expected.push(bytesOf(data).toString('latin1'));
        channel.send(data);
        new Uint8Array(shared).fill(0xff);
      },
    },
    { mode, upgrades: { ws: { perMessageDeflate: perMessageDeflate && { threshold: 0 } } } },
  );
  const clients = [await WsClient.connect(port, { perMessageDeflate }), await WsClient.connect(port, { perMessageDeflate })];
  for (const client of clients) for (let index = 0; index < 4; index += 1) client.send(String(index));
  const received = (await Promise.all(clients.map((client) => client.take(4)))).flat();
  return (
    received
      .map((message) => (message as Buffer).toString('latin1'))
      .toSorted()
      .join() === expected.toSorted().join()
  );
}

describe('bytes that the application uses again after send, compressed', () => {
  it.each(cases)('arrive as they were: $kind of $size bytes', async ({ make, size }) => {
    expect(await arriveAsTheyWere(make, size, 'handleUpgrades', true)).toBe(true);
  });
});

describe.each(modes)('bytes that the application uses again after send (%s)', (mode) => {
  it.each(cases)('arrive as they were: $kind of $size bytes', async ({ make, size }) => {
    expect(await arriveAsTheyWere(make, size, mode)).toBe(true);
  });

  it('arrive as they were, also where connect sent them before the handshake is answered', async () => {
    const connecting = deferred();
    const shared = Buffer.alloc(8, 1);
    const { port } = await serve(
      {
        connect: async ({ channel }) => {
          channel.send(shared);
          channel.send(shared.buffer as ArrayBuffer);
          shared.fill(2);
          await connecting.promise;
          channel.send(shared);
          shared.fill(3);
        },
      },
      { mode },
    );
    const connected = WsClient.connect(port);
    connecting.resolve();
    const client = await connected;
    const [first, , last] = await client.take(3);
    expect([first, last]).toEqual([Buffer.alloc(8, 1), Buffer.alloc(8, 2)]);
  });

  it('may be shared between threads, resizable, or none at all', async () => {
    const threads = new Uint8Array(new SharedArrayBuffer(4)).fill(5);
    const resizable = resizableBuffer(4, 8);
    const growing = new Uint8Array(resizable);
    const { port } = await serve(
      {
        receive: ({ channel }) => {
          channel.send(threads);
          threads.fill(6);
          channel.send(growing);
          resizable.resize(8);
          channel.send(resizable);
          resizable.resize(0);
          channel.send(growing);
          channel.send(new ArrayBuffer(0));
          channel.send('');
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    client.send('go');
    const none = Buffer.alloc(0);
    expect(await client.take(6)).toEqual([Buffer.alloc(4, 5), Buffer.alloc(4), Buffer.alloc(8), none, none, '']);
  });

  it.each<[string, (socket: WebSocket) => void]>([
    ['as ws made it', () => undefined],
    ['with a send of the application’s own', (socket) => void Object.assign(socket, { send: socket.send.bind(socket) })],
  ])(
    'arrive as they were where the application sends them on the socket itself, between what the channel sends: one %s',
    async (_what, prepare) => {
      const shared = Buffer.alloc(8, 1);
      const { port } = await serve(
        {
          receive: ({ channel }) => {
            prepare(channel.socket as WebSocket);
            for (const byte of [2, 3]) {
              channel.send('between');
              channel.socket?.send(shared.fill(byte));
              shared.fill(9);
            }
          },
        },
        { mode },
      );
      const client = await WsClient.connect(port);
      client.send('go');
      const received = (await client.take(4)).filter((message) => message !== 'between');
      expect(received).toEqual([Buffer.alloc(8, 2), Buffer.alloc(8, 3)]);
    },
  );
});
