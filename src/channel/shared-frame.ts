import { Buffer } from 'node:buffer';
import type { MessageData } from '../check-data.js';
import { copyOf, finalBinary, finalText, headerBytes, maxPooledLength, putHeader } from './frame-format.js';

/** One message to several channels: it is put into the bytes of its frame once, and by the first channel that writes its frames itself. */
export class SharedFrame {
  /** What is sent: bytes are our own. */
  readonly data: string | Buffer;
  readonly #isShort: boolean;
  #wire: string | undefined;
  #bytes: Buffer | undefined;

  constructor(data: MessageData) {
    this.data = typeof data === 'string' ? data : copyOf(data);
    this.#isShort = this.data.length <= maxPooledLength;
  }

  /** The frame, each character a byte: Node writes such a string faster than bytes. `undefined` where it is long. */
  get wire(): string | undefined {
    if (this.#isShort) this.#wire ??= frameOf(this.data).toString('latin1');
    return this.#wire;
  }

  /** The frame of a long message, which all channels write from the same memory; `undefined` where it is short. */
  get bytes(): Buffer | undefined {
    if (!this.#isShort) this.#bytes ??= frameOf(this.data);
    return this.#bytes;
  }
}

/** A final frame that is not masked (RFC 6455, section 5.2). */
function frameOf(data: string | Buffer): Buffer {
  const length = Buffer.byteLength(data);
  const frame = Buffer.allocUnsafe(headerBytes(length) + length);
  const start = putHeader(frame, 0, typeof data === 'string' ? finalText : finalBinary, length);
  if (typeof data === 'string') frame.write(data, start);
  else frame.set(data, start);
  return frame;
}
