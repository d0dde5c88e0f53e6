import type { RawData, WebSocket } from 'ws';
import type { RuntimeChannel } from './channel-host.js';

const channelOf: unique symbol = Symbol('ws-with.channel');

interface ChannelSocket extends WebSocket {
  [channelOf]?: RuntimeChannel;
}

/** The bytes of a message, whatever `binaryType` the application gave the socket. */
function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function onMessage(this: ChannelSocket, data: RawData, isBinary: boolean): void {
  this[channelOf]?.received(bytesOf(data), isBinary);
}

function onClose(this: ChannelSocket, code: number, reason: Buffer): void {
  this[channelOf]?.closed(code, reason.toString());
}

/** Without a listener, one bad frame would end the process; ws closes the connection by itself. */
function onError(): void {}

/** Whether a channel listens to `socket` already. */
export function isAttached(socket: WebSocket): boolean {
  return (socket as ChannelSocket)[channelOf] !== undefined;
}

/** Lets `channel` hear what happens on `socket`. The listeners are shared by all channels: none costs a closure of its own. */
export function attachToSocket(socket: WebSocket, channel: RuntimeChannel): void {
  Object.defineProperty(socket, channelOf, { value: channel });
  socket.on('message', onMessage);
  socket.on('close', onClose);
  socket.on('error', onError);
}
