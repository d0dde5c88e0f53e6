import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Groups } from '../../../entries/index.js';
import { serve } from '../../support/serving.js';

const messages: readonly (string | Buffer)[] = [
  '',
  'plain',
  'naïve \u{1f600}',
  'x'.repeat(125),
  'x'.repeat(126),
  'é'.repeat(8_192),
  '€'.repeat(16_384),
  'x'.repeat(16_385),
  'ü'.repeat(40_000),
  'x'.repeat(70_000),
  Buffer.of(),
  Buffer.from([0, 127, 128, 255]),
  Buffer.alloc(16_384, 0xff),
  Buffer.alloc(16_385, 0x80),
  Buffer.alloc(65_536, 1),
];

/** The messages that a client gets until one is `end`. */
function heardBy(port: number, perMessageDeflate: boolean): { readonly open: Promise<void>; readonly heard: Promise<(string | Buffer)[]> } {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate });
  const all: (string | Buffer)[] = [];
  const heard = new Promise<(string | Buffer)[]>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary && data.toString() === 'end') {
        socket.terminate();
        resolve(all);
      } else all.push(isBinary ? data : data.toString());
    });
  });
  return { open: new Promise((resolve) => socket.once('open', () => resolve())), heard };
}

/** Long texts and bytes by their digests, which are compared at once. */
function described(message: string | Buffer): string {
  return `${typeof message} ${message.length} ${createHash('sha256').update(message).digest('hex')}`;
}

describe.each([
  ['as they are', false],
  ['compressed', true],
])('frames that several channels are sent, %s', (_name, perMessageDeflate) => {
  it('arrive as they were sent, in order with what each channel is sent by itself, and with bytes that the caller used again', async () => {
    const groups = new Groups();
    const handlers = { connect: ({ channel }: { channel: Parameters<Groups['add']>[1] }) => void groups.add('room', channel) };
    const { port, channels } = await serve(handlers, { upgrades: { ws: { perMessageDeflate } } });
    const clients = [heardBy(port, perMessageDeflate), heardBy(port, perMessageDeflate), heardBy(port, perMessageDeflate)];
    await Promise.all(clients.map(({ open }) => open));
    const expected: (string | Buffer)[] = [];
    for (const own of ['own', 'öwn', undefined]) {
      for (const message of messages) {
        const bytes = typeof message === 'string' ? message : Buffer.from(message);
        groups.send('room', bytes);
        if (typeof bytes !== 'string') bytes.fill(7);
        expected.push(message);
        if (own === undefined) continue;
        for (const member of groups.membersOf('room')) member.send(own);
        expected.push(own);
      }
      await new Promise(setImmediate); // the next come in another tick
    }
    groups.send('room', 'end');
    for (const { heard } of clients) expect((await heard).map(described)).toEqual(expected.map(described));
    await channels.close();
  });
});
