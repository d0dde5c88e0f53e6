import type { EventEmitter } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { ignoreError } from './ignore-error.js';

const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'proxy-connection']);

/**
 * Serves a request as if it had asked for no upgrade (RFC 9110, section 7.8: a server may ignore that). Node gives every upgrade to the
 * `upgrade` listeners of a server that has any, also those that none of them knows.
 */
export function serveAsRequest(server: EventEmitter, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (socket !== request.socket || request.readableLength > 0) {
    respond(server, request, socket);
    return;
  }
  socket.unshift(Buffer.concat([headOf(request), head]));
  socket.off('error', ignoreError); // it may come again
  // the server reads it once more, with its body and whatever follows on the connection
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}

/** Newer Node parses the body of an upgrade by itself, and the stream that it hands over begins after it. */
function respond(server: EventEmitter, request: IncomingMessage, socket: Duplex): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  Reflect.apply(response.assignSocket, response, [socket]); // any Duplex will do
  response.once('finish', () => socket.end());
  server.emit('request', request, response);
}

/** The head of `request` as it came, but for what asks for an upgrade. */
function headOf(request: IncomingMessage): Buffer {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const options: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(index, index + 2);
    if (!connectionHeaders.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
    else options.push(...(value.toLowerCase().match(/\b(close|keep-alive)\b/g) ?? []));
  }
  if (options.length > 0) lines.push(`Connection: ${options.join(', ')}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
