import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A handshake's request with this `Cookie` header, on a socket that is connected to nothing. */
export function requestWith(cookie: string | undefined): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = '/';
  request.headers = { host: 'localhost', connection: 'Upgrade', upgrade: 'websocket' };
  if (cookie !== undefined) request.headers.cookie = cookie;
  return request;
}

/** The name of a cookie, and its value. */
export function partsOf(cookie: string): [name: string, value: string] {
  const end = cookie.indexOf('=');
  return [cookie.slice(0, end), cookie.slice(end + 1)];
}
