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

/** How many bytes the header of a server's frame has. */
export function headerBytes(payload: number): number {
  if (payload < 126) return 2;
  return payload < 65_536 ? 4 : 10;
}

/** How many bytes a client's frame has: as a server's, and a mask of four. */
export function maskedFrameBytes(payload: number): number {
  return headerBytes(payload) + 4 + payload;
}
