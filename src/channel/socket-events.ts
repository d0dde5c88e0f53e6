import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** Who is told what happens on a socket. */
export interface SocketListener {
  /** A frame arrived. */
  received(data: Buffer, isBinary: boolean): void;
  /** The peer has closed, and its connection is there still. */
  leaving(): void;
  /** The connection is closed. */
  closed(code: number, reason: string): void;
}

const channelOf: unique symbol = Symbol('ws-with.channel');
const socketOf: unique symbol = Symbol('ws-with.socket');
const reading: unique symbol = Symbol('ws-with.reading');
const violation: unique symbol = Symbol('ws-with.violation');

/** How ws closes a connection whose frames it cannot take: by the code of its error, or zlib's, and with 1002 for all others of its own. */
const closeCodes: ReadonlyMap<string, number> = new Map([
  ['Z_DATA_ERROR', 1007],
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
]);

/** The stream of ws that reads frames. */
interface Receiver extends Writable {
  readonly _allowSynchronousEvents?: boolean;
  readonly _extensions?: Readonly<Record<string, unknown>>;
}

interface ChannelSocket extends WebSocket {
  readonly _receiver?: Receiver | null;
  [channelOf]?: SocketListener;
  /** Set while the bytes of a Blob are read; what comes meanwhile waits for them. */
  [reading]?: Promise<void> | undefined;
  /** With which close code ws has told the peer that its frames are wrong; ws itself then gives 1006. */
  [violation]?: number | undefined;
}

interface RawSocket extends Socket {
  [socketOf]: ChannelSocket;
}

/** The bytes of a message, whatever `binaryType` the application gave the socket. */
function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function onMessage(this: ChannelSocket, data: RawData | Blob, isBinary: boolean): void {
  if (this[reading] === undefined && Buffer.isBuffer(data)) this[channelOf]?.received(data, isBinary);
  else onUnusualMessage(this, data, isBinary);
}

/** A message that comes in another form than a Buffer, or behind one that must be waited for. */
function onUnusualMessage(socket: ChannelSocket, data: RawData | Blob, isBinary: boolean): void {
  if (data instanceof Blob) {
    afterEarlier(socket, async () => socket[channelOf]?.received(Buffer.from(await data.arrayBuffer()), isBinary));
  } else if (socket[reading] !== undefined) afterEarlier(socket, () => socket[channelOf]?.received(bytesOf(data), isBinary));
  else socket[channelOf]?.received(bytesOf(data), isBinary);
}

function onClose(this: ChannelSocket, given: number, reason: Buffer): void {
  const code = this[violation] ?? given;
  if (this[reading] !== undefined) afterEarlier(this, () => this[channelOf]?.closed(code, reason.toString()));
  else this[channelOf]?.closed(code, reason.toString());
}

/** With `binaryType: 'blob'` bytes must be waited for: all else keeps its place behind them. */
function afterEarlier(socket: ChannelSocket, step: () => void | Promise<void>): void {
  const done: Promise<void> = Promise.resolve(socket[reading])
    .then(step)
    .catch(() => socket.terminate()) // bytes that cannot be read must not be skipped in silence
    .then(() => {
      if (socket[reading] === done) socket[reading] = undefined;
    });
  socket[reading] = done;
}

/** ws has ended our side of the connection, which it does once the peer's close frame or end is there. It says so itself much later. */
function onFinish(this: RawSocket): void {
  const socket = this[socketOf];
  onceAllIsRead(socket, () => socket[channelOf]?.leaving());
}

/**
 * Does `step` once what the peer of `socket`, which has closed, has sent before is read: frames may still wait for one that is inflated, or
 * whose event ws defers.
 */
export function onceAllIsRead(socket: WebSocket, step: () => void): void {
  const { _receiver: receiver, [reading]: bytes } = socket as ChannelSocket;
  if (receiver?.writableEnded === true && !receiver.closed) receiver.once('close', () => onceAllIsRead(socket, step));
  else if (bytes !== undefined) afterEarlier(socket, step);
  else step();
}

/** Without a listener, one bad frame would end the process; ws closes the connection by itself. */
function onError(this: ChannelSocket, error: { readonly code?: unknown }): void {
  const code = String(error.code); // a number where ws cannot read a Blob that it is to send
  this[violation] = closeCodes.get(code) ?? (code.startsWith('WS_ERR_') ? 1002 : undefined);
}

/**
 * Where frames wait behind one that ws inflates, or whose event it defers, it goes on with them after one that it cannot take. From 8.22.2
 * on it then throws where nobody can catch it.
 */
function readNothingBehindViolations({ _receiver: receiver }: ChannelSocket): void {
  if (!receiver || !(mayInflate(receiver) || receiver._allowSynchronousEvents === false)) return;
  const { _write: write } = receiver;
  receiver._write = (chunk, encoding, done) => {
    if (receiver.errored === null) Reflect.apply(write, receiver, [chunk, encoding, done]);
    else done();
  };
}

/** Whether compression was agreed on. To ask the socket itself makes a list of all extensions. */
function mayInflate({ _extensions: extensions }: Receiver): boolean {
  return extensions === undefined || extensions['permessage-deflate'] !== undefined;
}

/** Whether a channel listens to `socket` already. */
export function isAttached(socket: WebSocket): boolean {
  return (socket as ChannelSocket)[channelOf] !== undefined;
}

/**
 * Lets `channel` hear what happens on `socket`, and on the raw socket under it. The listeners are shared by all channels: none costs a
 * closure of its own.
 */
export function attachToSocket(socket: WebSocket, raw: Socket, channel: SocketListener): void {
  (socket as ChannelSocket)[channelOf] = channel;
  readNothingBehindViolations(socket);
  socket.on('message', onMessage);
  socket.on('close', onClose);
  socket.on('error', onError);
  (raw as RawSocket)[socketOf] = socket;
  raw.on('finish', onFinish);
}
