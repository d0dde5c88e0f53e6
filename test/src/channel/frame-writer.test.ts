import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RawData, WebSocket } from 'ws';
import { FrameWriter } from '../../../src/channel/frame-writer.js';
import { SharedFrame } from '../../../src/channel/shared-frame.js';
import { unicodeText } from '../../support/unicode-text.js';

/** What a writer lets out, taken at once, or only when the test says so. */
class Out {
  readonly chunks: Buffer[] = [];
  /** How often something went out: what is corked together goes at once. */
  batches = 0;
  /** How often that was a string. */
  strings = 0;
  writable = true;
  writableLength = 0;
  #isCorked = false;
  #isStuck = false;
  #kept: Uint8Array[] = [];

  cork(): void {
    this.#isCorked = true;
    this.batches += 1;
  }

  uncork(): void {
    this.#isCorked = false;
  }

  write(chunk: Uint8Array | string, encoding?: unknown): boolean {
    if (typeof chunk === 'string') this.strings += 1;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
    if (!this.#isCorked) this.batches += 1;
    if (this.#isStuck) {
      this.#kept.push(bytes);
      this.writableLength += bytes.length;
    } else this.chunks.push(Buffer.from(bytes));
    return !this.#isStuck;
  }

  /** From now on the system takes nothing; what it is given stays where it is. */
  stick(): void {
    this.#isStuck = true;
  }

  /** It takes what waits. */
  free(): void {
    this.#isStuck = false;
    this.writableLength = 0;
    this.chunks.push(...this.#kept.splice(0).map((bytes) => Buffer.from(bytes)));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** What the receiver of ws makes of bytes that a server has sent. */
async function received(bytes: Buffer, count: number): Promise<string[]> {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = new WebSocket(null as never, undefined, {}) as WebSocket & {
    setSocket(stream: Duplex, head: Buffer, options: object): void;
  };
  Object.assign(socket, { _isServer: false });
  const messages: string[] = [];
  return new Promise((resolve, reject) => {
    socket.on('message', (data: RawData, isBinary) => {
      messages.push(isBinary ? `bytes ${(data as Buffer).toString('latin1')}` : String(data));
      if (messages.length === count) resolve(messages);
    });
    socket.on('error', reject);
    socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 0, skipUTF8Validation: false });
    stream.push(bytes);
    if (count === 0) resolve(messages);
  });
}

const text = fc.oneof(
  unicodeText(200),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 200 }), // lone surrogates among them
  fc
    .tuple(fc.constantFrom('a', 'é', '語', '😀'), fc.constantFrom(41, 42, 62, 63, 124, 125, 126, 127, 8_192))
    .map(([unit, times]) => unit.repeat(times)),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(0, 125, 126, 127, 16_383, 16_384).map((length) => new Uint8Array(length).fill(7)),
);
const data = fc.oneof(text, bytes);
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 200 });
/** One frame, and whether it is sent to several channels. */
const frame = fc.record({ data: fc.oneof(ascii, data), isShared: fc.boolean() });

function write(writer: FrameWriter, { data, isShared }: { readonly data: string | Uint8Array; readonly isShared: boolean }): boolean {
  return isShared ? writer.write(data, new SharedFrame(data)) : writer.write(data);
}

/** As it arrives: text without lone surrogates. */
function arriving(sent: string | Uint8Array): string {
  return typeof sent === 'string' ? Buffer.from(sent).toString() : `bytes ${Buffer.from(sent).toString('latin1')}`;
}

/** Two writers and where the first one's frames go; `writeOver` has the other write so much that all of the memory is used again. */
function twoOnTheSameMemory() {
  const [out, other] = [new Out(), new Out()];
  const [writer, otherWriter] = [new FrameWriter(out as never), new FrameWriter(other as never)];
  const writeOver = (): void => {
    for (let times = 0; times < 8; times += 1) otherWriter.write('ö'.repeat(8_000));
    otherWriter.flush();
  };
  writeOver(); // so that nothing of other tests holds the memory
  return { out, writer, otherWriter, writeOver };
}

describe('frames that are written beside ws', () => {
  it('are what its receiver reads, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(frame, { maxLength: 8 }), { maxLength: 3 }), async (ticks) => {
        const out = new Out();
        const writer = new FrameWriter(out as never);
        for (const frames of ticks) {
          for (const one of frames) expect(write(writer, one)).toBe(true);
          writer.flush();
          expect(writer.length).toBe(0);
        }
        expect(out.batches).toBe(ticks.filter(({ length }) => length > 0).length);
        const sent = ticks.flat().map(({ data }) => arriving(data));
        expect(await received(out.bytes, sent.length)).toEqual(sent);
      }),
    );
  });

  it.each([
    ['text of nothing but ASCII', '', ['x', 'y'.repeat(126), 'z'.repeat(128)]],
    ['text of any kind, once one was no ASCII', '語', ['é', 'y'.repeat(126)]],
    ['bytes', '', [new Uint8Array(3), 'é']],
  ])('are as long as the writer says: %s', (_what, earlier, list) => {
    const out = new Out();
    const writer = new FrameWriter(out as never);
    writer.write(earlier);
    writer.flush();
    const { length } = out.bytes;
    for (const one of list) writer.write(one);
    const told = writer.length;
    writer.flush();
    expect(out.bytes.length - length).toBe(told);
  });

  it('leave as a string where all are ASCII, however long each is', () => {
    const out = new Out();
    const writer = new FrameWriter(out as never);
    for (const length of [...Array(400).keys(), 16_383, 16_384]) {
      writer.write('x'.repeat(length));
      writer.flush();
    }
    expect(out.strings).toBe(402);
  });

  it('are each channel’s own and in order, however channels take turns and whoever does not read', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ what: fc.constant('write' as const), who: fc.nat(3), data }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('flush' as const, 'stick' as const, 'free' as const), who: fc.nat(3) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const outs = Array.from({ length: 4 }, () => new Out());
        const writers = outs.map((out) => new FrameWriter(out as never));
        const sent: string[][] = outs.map(() => []);
        for (const { who, ...given } of steps) {
          if (given.what === 'write') {
            writers[who]?.write(given.data);
            sent[who]?.push(arriving(given.data));
          } else if (given.what === 'flush') writers[who]?.flush();
          else outs[who]?.[given.what]();
        }
        for (const [who, writer] of writers.entries()) {
          writer.flush();
          outs[who]?.free();
          expect(await received(outs[who]?.bytes as Buffer, sent[who]?.length ?? 0)).toEqual(sent[who]);
        }
      }),
    );
  });

  it.each([
    ['in one piece', false],
    ['in several, since others wrote in between', true],
  ])('stay what they were while they wait behind other output, whatever is written meanwhile (%s)', (_how, isInPieces) => {
    const { out, writer, otherWriter, writeOver } = twoOnTheSameMemory();
    for (const each of [writer, otherWriter]) {
      each.write('é'); // from now on what is no ASCII goes to the memory at once
      each.flush();
    }
    out.chunks.length = 0;
    out.stick();
    writer.write('text alone');
    writer.flush();
    writer.write('é 1');
    if (isInPieces) otherWriter.write('é of the other');
    writer.write('é 2');
    writer.flush();
    otherWriter.flush();
    writeOver(); // also where those lay that have been let out
    out.free();
    const frames = ['text alone', 'é 1', 'é 2'].map((text) => [0x81, Buffer.byteLength(text), ...Buffer.from(text)]);
    expect(out.bytes).toEqual(Buffer.from(frames.flat()));
  });

  it('stay what they were while the system reads them, whatever is written meanwhile', () => {
    const { out, writer, writeOver } = twoOnTheSameMemory();
    out.stick();
    writer.write('é');
    writer.flush();
    writeOver();
    out.free();
    expect(out.bytes).toEqual(Buffer.from([0x81, 2, ...Buffer.from('é')]));
  });

  it('are whole, however much of the memory that they share others have filled before', async () => {
    const text = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(15_000));
    for (let filled = 0; filled < 20; filled += 1) {
      const [out, other] = [new Out(), new Out()];
      const [writer, otherWriter] = [new FrameWriter(out as never), new FrameWriter(other as never)];
      for (let times = 0; times < filled; times += 1) otherWriter.write('ö'.repeat(3_000));
      for (const one of [...text, 'é']) writer.write(one);
      writer.flush();
      otherWriter.flush();
      expect(await received(out.bytes, 5)).toEqual([...text, 'é']);
    }
  });

  it('are not those longer than 16 KiB', () => {
    const writer = new FrameWriter(new Out() as never);
    expect(writer.write('x'.repeat(16_385))).toBe(false);
    expect(writer.write(new ArrayBuffer(16_385))).toBe(false);
    expect(writer.length).toBe(0);
  });

  it('are dropped where the socket has ended', () => {
    const out = new Out();
    const writer = new FrameWriter(out as never);
    writer.write('x');
    out.writable = false;
    writer.flush();
    writer.flush();
    expect(out.chunks).toEqual([]);
    expect(writer.length).toBe(0);
  });
});
