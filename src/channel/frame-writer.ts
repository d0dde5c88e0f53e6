import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { MessageData } from '../check-data.js';
import { bytesOf, finalBinary, finalText, headerBytes, maxPooledLength, putHeader } from './frame-format.js';
import type { SharedFrame } from './shared-frame.js';

/** Bytes of a header and of the longest text that is pooled: a character takes three at most. */
const maxFrameBytes = 4 + 3 * maxPooledLength;
const slabBytes = 131_072;

/** Memory in which the channels of the process put their frames together. */
interface Slab {
  readonly bytes: Buffer;
  /** Where the next frame begins. */
  end: number;
  /** How many writers have frames in it that are not let out. */
  writers: number;
  /** Whether the system still reads from it: it is filled up then, and left to the garbage collector. */
  isInUse: boolean;
}

function newSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(slabBytes), end: 0, writers: 0, isInUse: false };
}

let slab = newSlab();

/** Headers of text frames that have fewer than 126 bytes, as characters of one byte each. */
const shortHeaders: readonly string[] = Array.from({ length: 126 }, (_, length) => String.fromCharCode(finalText, length));

/** The header of a text frame of `length` bytes, which are no more than {@link maxPooledLength}. */
function textHeader(length: number): string {
  return shortHeaders[length] ?? String.fromCharCode(finalText, 126, length >> 8, length & 0xff);
}

/**
 * In how many bytes UTF-8 writes a frame that {@link textHeader} begins, if its `length` characters are ASCII: two for a byte above 127.
 */
function utf8Bytes(length: number): number {
  return length < 126 ? 3 + length : 5 + ((length & 0x80) >> 7) + length;
}

/**
 * Writes the frames of one channel, unmasked and not compressed, and lets them out in one write to its socket. They are copied, so the
 * caller may use its bytes again.
 *
 * Frames of nothing but ASCII text, which most are, are strung together as they are: Node writes such a string at half the cost of a
 * buffer. From the first other frame on, those of a tick are put into a slab. Whether text is ASCII is asked of all frames at once when
 * they are let out, until that was wrong once; from then on of each.
 */
export class FrameWriter {
  readonly #raw: Pick<Socket, 'cork' | 'uncork' | 'write' | 'writable' | 'writableLength'>;
  /** Where the last frames lie, one behind the other: `undefined` where nothing is to be let out. */
  #slab: Slab | undefined;
  #start = 0;
  #end = 0;
  /** What lies before them, apart from them since others wrote in between. */
  #earlier: Buffer[] | undefined;
  /** ASCII frames and shared ones, header and payload, each character a byte. There are none beside those in a slab. */
  #text = '';
  /** Text frames behind those, taken for ASCII; and how many bytes UTF-8 has for them if they are. */
  #unchecked = '';
  #uncheckedBytes = 0;
  /** Whether that was wrong once. */
  #checksEach = false;
  /** How many bytes lie in slabs. */
  #slabLength = 0;

  /** @param raw must have read what it is given once its `writableLength` is zero, as sockets of the system have. */
  constructor(raw: Pick<Socket, 'cork' | 'uncork' | 'write' | 'writable' | 'writableLength'>) {
    this.#raw = raw;
  }

  /** How many bytes are to be let out, of text that is not looked at yet as if it were ASCII. */
  get length(): number {
    return this.#slab === undefined ? this.#text.length + this.#unchecked.length : this.#slabLength;
  }

  /**
   * Writes a frame, strings as text and all else as binary; `false` where it is too long to be copied.
   *
   * @param frame `data` as it is sent to several channels.
   */
  write(data: MessageData, frame?: SharedFrame): boolean {
    if (frame?.wire !== undefined && this.#settle()) {
      this.#text += frame.wire;
      return true;
    }
    if ((typeof data === 'string' ? data.length : data.byteLength) > maxPooledLength) return false;
    if (typeof data === 'string' && this.#slab === undefined && (!this.#checksEach || Buffer.byteLength(data) === data.length)) {
      this.#unchecked += textHeader(data.length) + data;
      this.#uncheckedBytes += utf8Bytes(data.length);
      return true;
    }
    if (this.#settle()) this.#moveText();
    this.#put(data);
    return true;
  }

  /** Looks whether it is ASCII what was taken for that; if not, all goes into the slab. Whether all is in {@link #text} now. */
  #settle(): boolean {
    const frames = this.#unchecked;
    if (frames === '') return this.#slab === undefined;
    const isAscii = this.#checksEach || Buffer.byteLength(frames) === this.#uncheckedBytes;
    this.#unchecked = '';
    this.#uncheckedBytes = 0;
    if (isAscii) this.#text += frames;
    else {
      this.#checksEach = true;
      this.#moveText();
      for (const data of textsIn(frames)) this.#put(data);
    }
    return isAscii;
  }

  /** Puts the frames that are text so far into the slab, where others follow them. */
  #moveText(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    if (slab.end + text.length > slabBytes) slab = newSlab();
    this.#startSegment();
    slab.end += slab.bytes.write(text, slab.end, 'latin1');
    this.#end = slab.end;
    this.#slabLength = text.length;
  }

  #put(data: MessageData): void {
    if (slab.end + maxFrameBytes > slabBytes) slab = newSlab();
    if (slab !== this.#slab || slab.end !== this.#end) this.#startSegment();
    const start = slab.end;
    const end = typeof data === 'string' ? putText(slab.bytes, start, data) : putBinary(slab.bytes, start, bytesOf(data));
    slab.end = end;
    this.#end = end;
    this.#slabLength += end - start;
  }

  #startSegment(): void {
    if (this.#slab !== undefined) {
      this.#earlier ??= [];
      this.#earlier.push(this.#slab.bytes.subarray(this.#start, this.#end));
    }
    if (this.#slab !== slab) slab.writers += 1;
    this.#slab = slab;
    this.#start = slab.end;
    this.#end = slab.end;
  }

  /** Lets out what was written. */
  flush(): void {
    if (!this.#settle()) this.#flushSlab(this.#slab as Slab);
    else if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      if (this.#raw.writable) this.#raw.write(text, 'latin1');
    }
  }

  #flushSlab(own: Slab): void {
    const last = own.bytes.subarray(this.#start, this.#end);
    const earlier = this.#earlier;
    this.#slab = undefined;
    this.#earlier = undefined;
    this.#slabLength = 0;
    if (this.#raw.writable) {
      // what must wait behind other output would keep the whole slab
      const isBusy = this.#raw.writableLength > 0;
      if (earlier === undefined) this.#raw.write(isBusy ? Buffer.from(last) : last);
      else {
        this.#raw.cork();
        for (const segment of [...earlier, last]) this.#raw.write(isBusy ? Buffer.from(segment) : segment);
        this.#raw.uncork();
      }
      if (!isBusy && this.#raw.writableLength > 0) own.isInUse = true;
    }
    own.writers -= 1;
    if (own.writers === 0 && !own.isInUse) own.end = 0;
  }
}

/** The texts of `frames`, whose headers tell how many characters each has. */
function textsIn(frames: string): string[] {
  const texts: string[] = [];
  for (let at = 0; at < frames.length; ) {
    const short = frames.charCodeAt(at + 1);
    const start = at + (short < 126 ? 2 : 4);
    const length = short < 126 ? short : (frames.charCodeAt(at + 2) << 8) | frames.charCodeAt(at + 3);
    texts.push(frames.slice(start, start + length));
    at = start + length;
  }
  return texts;
}

/** Writes a text frame at `start`; returns where it ends. */
function putText(bytes: Buffer, start: number, text: string): number {
  const guess = headerBytes(text.length);
  const length = bytes.write(text, start + guess);
  const payload = putHeader(bytes, start, finalText, length);
  if (payload !== start + guess) bytes.write(text, payload); // it has more bytes than characters
  return payload + length;
}

/** Writes a binary frame at `start`; returns where it ends. */
function putBinary(bytes: Buffer, start: number, data: Uint8Array): number {
  const payload = putHeader(bytes, start, finalBinary, data.length);
  bytes.set(data, payload);
  return payload + data.length;
}
