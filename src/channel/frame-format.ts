/** Longer data (in characters or bytes) is not copied together with other frames. */
export const maxPooledLength = 16_384;

/** Opcodes with the bit of a final fragment (RFC 6455, section 5.2). */
export const finalText = 0x81;
export const finalBinary = 0x82;

/** `data` as bytes, not copied. */
export function bytesOf(data: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Bytes of our own: the caller may change its own as soon as it has sent them. */
export function copyOf(data: ArrayBufferView | ArrayBuffer): Buffer {
  return Buffer.from(bytesOf(data));
}

/** How many bytes the header of a server's frame has. */
export function headerBytes(payload: number): number {
  if (payload < 126) return 2;
  return payload < 65_536 ? 4 : 10;
}

/** Writes the header of a server's frame at `start`; returns where its payload begins. */
export function putHeader(bytes: Buffer, start: number, opcode: number, payload: number): number {
  bytes[start] = opcode;
  if (payload < 126) {
    bytes[start + 1] = payload;
    return start + 2;
  }
  if (payload < 65_536) {
    bytes[start + 1] = 126;
    bytes[start + 2] = payload >> 8;
    bytes[start + 3] = payload & 0xff;
    return start + 4;
  }
  bytes[start + 1] = 127;
  return bytes.writeBigUInt64BE(BigInt(payload), start + 2);
}

/** How many bytes a client's frame has before its payload: as a server's, and a mask of four. */
export function maskedHeaderBytes(payload: number): number {
  return headerBytes(payload) + 4;
}
