import { describe, expect, it } from 'vitest';
import { type FrameShape, frameOf } from '../../support/frames.js';
import { closeFrame, opcodes, RawClient } from '../../support/raw-client.js';
import { type Mode, modes, serve } from '../../support/serving.js';

const { continuation, text, binary, close, ping, pong } = opcodes;

/** Answers with what it receives, of the same kind. */
async function echo(mode: Mode) {
  const ends: { code: number; reason: string }[] = [];
  const served = await serve(
    {
      receive: ({ data, text: said, isBinary, channel }) => void channel.send(isBinary ? data : said),
      disconnect: ({ code, reason }) => void ends.push({ code, reason }),
    },
    { mode },
  );
  const client = await RawClient.connect(served.port);
  return { ...served, client, ends };
}

/** Writes what it is given byte by byte, as slow lines do. */
function trickle(client: RawClient, bytes: Buffer): void {
  for (const byte of bytes) client.write(Buffer.from([byte]));
}

const hello = (opcode: number, payload: string, rest: Partial<FrameShape> = {}): Buffer => frameOf({ opcode, payload, ...rest });

describe.each(modes)('frames that are right (%s)', (mode) => {
  it.each([0, 1, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 1_048_576])(
    'a message of %i bytes comes back whole',
    async (length) => {
      const { client } = await echo(mode);
      for (const [opcode, payload] of [
        [text, Buffer.alloc(length, '*')],
        [binary, Buffer.alloc(length, 0xfe)],
      ] as const) {
        client.write(frameOf({ opcode, payload }));
        const back = await client.nextFrame();
        expect(back.opcode).toBe(opcode);
        expect(back.payload.equals(payload)).toBe(true);
      }
    },
  );

  it('the examples of RFC 6455, section 5.7: masked, in fragments, a ping, 256 bytes and 64 KiB', async () => {
    const { client } = await echo(mode);
    client.write(Buffer.from('818537fa213d7f9f4d5158', 'hex'));
    expect(await client.nextFrame()).toEqual({ opcode: text, payload: Buffer.from('Hello') });
    client.write(Buffer.concat([hello(text, 'Hel', { fin: false }), hello(continuation, 'lo')]));
    expect(await client.nextFrame()).toEqual({ opcode: text, payload: Buffer.from('Hello') });
    client.write(Buffer.from('898537fa213d7f9f4d5158', 'hex'));
    expect(await client.nextFrame()).toEqual({ opcode: pong, payload: Buffer.from('Hello') });
    for (const length of [256, 65_536]) {
      client.write(frameOf({ opcode: binary, payload: Buffer.alloc(length, 7) }));
      expect((await client.nextFrame()).payload).toHaveLength(length);
    }
  });

  it('in fragments of whatever length, with control frames between them, byte by byte', async () => {
    const { client } = await echo(mode);
    trickle(
      client,
      Buffer.concat([
        hello(text, 'κό', { fin: false }),
        hello(ping, 'between'),
        hello(continuation, '', { fin: false }),
        hello(pong, 'nobody asked'),
        hello(continuation, 'σμε'),
        frameOf({ opcode: binary, payload: Buffer.from([1]), fin: false }),
        frameOf({ opcode: continuation, payload: Buffer.from([2, 3]) }),
      ]),
    );
    expect(await client.nextFrame()).toEqual({ opcode: pong, payload: Buffer.from('between') });
    expect(await client.nextFrame()).toEqual({ opcode: text, payload: Buffer.from('κόσμε') });
    expect(await client.nextFrame()).toEqual({ opcode: binary, payload: Buffer.from([1, 2, 3]) });
  });

  it('a character that is cut between two fragments is whole again', async () => {
    const { client } = await echo(mode);
    const bytes = Buffer.from('a😀b');
    client.write(frameOf({ opcode: text, payload: bytes.subarray(0, 3), fin: false }));
    client.write(frameOf({ opcode: continuation, payload: bytes.subarray(3) }));
    expect((await client.nextFrame()).payload.toString()).toBe('a😀b');
  });

  it('a mask of zeros, and a ping of 125 bytes', async () => {
    const { client } = await echo(mode);
    client.write(hello(text, 'plain', { mask: Buffer.alloc(4) }));
    expect((await client.nextFrame()).payload.toString()).toBe('plain');
    client.write(frameOf({ opcode: ping, payload: Buffer.alloc(125, 1) }));
    expect((await client.nextFrame()).payload).toHaveLength(125);
  });

  it.each(['', 'ascii', 'κόσμε', '\u0000\u007f', '\ud7ff\ue000\ufffd\uffff', '\u{10000}\u{10ffff}', '\ufeffmarked'])(
    'text in UTF-8 comes back as it is: %j',
    async (payload) => {
      const { client } = await echo(mode);
      client.write(hello(text, payload));
      expect(await client.nextFrame()).toEqual({ opcode: text, payload: Buffer.from(payload) });
    },
  );

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    'a close frame with %i is answered with the same code, and disconnect sees it',
    async (code) => {
      const { client, ends, channels } = await echo(mode);
      client.write(closeFrame(code, 'x'.repeat(123)));
      expect(await client.closeCode()).toBe(code);
      client.finish();
      await client.ended();
      await channels.close();
      expect(ends).toEqual([{ code, reason: 'x'.repeat(123) }]);
    },
  );

  it('a close frame without a code is answered, and is 1005', async () => {
    const { client, ends, channels } = await echo(mode);
    client.write(frameOf({ opcode: close }));
    expect((await client.nextFrame()).opcode).toBe(close);
    client.finish();
    await client.ended();
    await channels.close();
    expect(ends).toEqual([{ code: 1005, reason: '' }]);
  });
});

const wrong: readonly (readonly [what: string, code: number, frames: readonly FrameShape[]])[] = [
  ['not masked', 1002, [{ opcode: text, payload: 'x', isMasked: false }]],
  ['RSV1 without an extension', 1002, [{ opcode: text, payload: 'x', reserved: 4 }]],
  ['RSV2', 1002, [{ opcode: text, payload: 'x', reserved: 2 }]],
  ['RSV3', 1002, [{ opcode: text, payload: 'x', reserved: 1 }]],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, 1002, [{ opcode, payload: 'x' }]] as const),
  ['a continuation of nothing', 1002, [{ opcode: continuation, payload: 'x' }]],
  ['text within fragments', 1002, [{ opcode: text, fin: false }, { opcode: text }]],
  ['a ping in fragments', 1002, [{ opcode: ping, fin: false }]],
  ['a ping of 126 bytes', 1002, [{ opcode: ping, payload: Buffer.alloc(126) }]],
  ['a close frame of 126 bytes', 1002, [{ opcode: close, payload: Buffer.alloc(126, 3) }]],
  ['a close frame of one byte', 1002, [{ opcode: close, payload: Buffer.from([3]) }]],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    return [`the close code ${code}`, 1002, [{ opcode: close, payload }]] as const;
  }),
  ['a reason that is no UTF-8', 1007, [{ opcode: close, payload: Buffer.from('03e8ceba80ff', 'hex') }]],
  ...['80', 'bf', 'c080', 'c1bf', 'e08080', 'eda080', 'edbfbf', 'f0808080', 'f4908080', 'f8888080', 'fe', 'ff', 'ceba00ed', 'e282'].map(
    (bytes) => [`text of the bytes ${bytes}`, 1007, [{ opcode: text, payload: Buffer.from(bytes, 'hex') }]] as const,
  ),
  [
    'text that is no UTF-8 over two fragments',
    1007,
    [
      { opcode: text, payload: Buffer.from('ceba', 'hex'), fin: false },
      { opcode: continuation, payload: Buffer.from('f49080', 'hex') },
    ],
  ],
  ['a length past 2⁵³', 1009, [{ opcode: binary, length: 1n << 62n, lengthBytes: 9 }]],
  ['a message past maxPayload', 1009, [{ opcode: binary, length: 200n * 1_048_576n, lengthBytes: 9 }]],
];

describe.each(modes)('frames that are wrong (%s)', (mode) => {
  it.each(wrong)('%s closes that connection alone, with %i', async (_what, code, frames) => {
    const { client, port, ends, errors, channels } = await echo(mode);
    const other = await RawClient.connect(port);
    client.write(Buffer.concat(frames.map(frameOf)));
    client.write(hello(text, 'never handled'));
    expect(await client.closeCode()).toBe(code);
    client.finish();
    await client.ended();
    other.write(hello(text, 'alive'));
    expect((await other.nextFrame()).payload.toString()).toBe('alive');
    other.finish();
    await channels.close();
    expect(ends).toHaveLength(2);
    expect(ends).toContainEqual({ code, reason: '' });
    expect(errors).toEqual([]);
  });

  it('what is right before it is handled all the same', async () => {
    const { client } = await echo(mode);
    client.write(Buffer.concat([hello(text, 'right'), frameOf({ opcode: 3 })]));
    expect((await client.nextFrame()).payload.toString()).toBe('right');
    expect(await client.closeCode()).toBe(1002);
  });
});
