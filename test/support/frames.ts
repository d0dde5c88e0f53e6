import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';

/** What the parts of a frame are to be (RFC 6455, section 5.2), right or wrong. */
export interface FrameShape {
  readonly opcode: number;
  readonly payload?: string | Buffer;
  /** @default true */
  readonly fin?: boolean;
  /** @default true, as a client must */
  readonly isMasked?: boolean;
  /** RSV1 to RSV3 as a number. @default 0 */
  readonly reserved?: number;
  /** How many bytes the length takes up, 1, 3 or 9. @default as few as do */
  readonly lengthBytes?: 1 | 3 | 9;
  /** The length that is said. @default that of the payload */
  readonly length?: bigint;
  /** @default random */
  readonly mask?: Buffer;
}

/** A frame byte by byte, also one that nobody should send. */
export function frameOf({ opcode, payload = '', fin = true, isMasked = true, reserved = 0, ...rest }: FrameShape): Buffer {
  const data = Buffer.from(payload);
  const { length = BigInt(data.length), mask = randomBytes(4) } = rest;
  const { lengthBytes = length < 126n ? 1 : length < 65_536n ? 3 : 9 } = rest;
  const head = Buffer.alloc(1 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 1 ? Number(length) : lengthBytes === 3 ? 126 : 127);
  if (lengthBytes === 3) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 9) head.writeBigUInt64BE(length, 2);
  if (!isMasked) return Buffer.concat([head, data]);
  return Buffer.concat([head, mask, data.map((byte, index) => byte ^ (mask[index % 4] as number))]);
}

/** A masked frame of `text` as a client sends it that compresses (RFC 7692, section 7.2.1). */
export function compressedFrame(text: string): Buffer {
  const payload = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  return frameOf({ opcode: 1, reserved: 4, payload });
}
