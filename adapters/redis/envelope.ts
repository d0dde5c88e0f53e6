/** What is sent for one message, or for a mark, which has no group and only says that its sender has come so far. */
export interface Envelope {
  /** 32 hexadecimal digits. */
  readonly sender: string;
  readonly number: number;
  /** Whether something of this sender may have been lost before. */
  readonly hasLoss: boolean;
  /** Empty for a mark. */
  readonly group: string;
  readonly data: string | Uint8Array;
}

const formatVersion = 1;
const flags = { bytes: 1, loss: 2 } as const;
const knownFlags = flags.bytes | flags.loss;
const senderAt = 2;
const numberAt = 18;
const groupLengthAt = 24;
const headerBytes = 28;

/** version, flags, sender (16 bytes), number (6), length of the group's name (4), the name, the data. */
export function encodeEnvelope({ sender, number, hasLoss, group, data }: Envelope): Buffer {
  const isText = typeof data === 'string';
  const groupLength = Buffer.byteLength(group);
  const encoded = Buffer.allocUnsafe(headerBytes + groupLength + (isText ? Buffer.byteLength(data) : data.byteLength));
  encoded[0] = formatVersion;
  encoded[1] = (isText ? 0 : flags.bytes) | (hasLoss ? flags.loss : 0);
  encoded.write(sender, senderAt, 'hex');
  encoded.writeUIntBE(number, numberAt, 6);
  encoded.writeUInt32BE(groupLength, groupLengthAt);
  encoded.write(group, headerBytes);
  if (isText) encoded.write(data, headerBytes + groupLength);
  else encoded.set(data, headerBytes + groupLength);
  return encoded;
}

/** `undefined` for what is no envelope, or one of a version to come: another format, or a flag that says how to read this one. */
export function decodeEnvelope(encoded: Buffer): Envelope | undefined {
  if (encoded.length < headerBytes || encoded[0] !== formatVersion) return undefined;
  const dataAt = headerBytes + encoded.readUInt32BE(groupLengthAt);
  const bits = encoded[1] ?? 0;
  if (dataAt > encoded.length || (bits & ~knownFlags) !== 0) return undefined;
  return {
    sender: encoded.toString('hex', senderAt, numberAt),
    number: encoded.readUIntBE(numberAt, 6),
    hasLoss: (bits & flags.loss) !== 0,
    group: encoded.toString('utf8', headerBytes, dataAt),
    data: (bits & flags.bytes) === 0 ? encoded.toString('utf8', dataAt) : new Uint8Array(encoded.subarray(dataAt)),
  };
}
