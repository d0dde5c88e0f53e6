import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { WebSocket } from 'ws';

/** The key of the one token that the recipes know. */
export const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
/** Its cookie. */
export const tokenCookie = `key=${key}`;

/** A client of one test: what arrives is kept until it is asked for. */
export class Client {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #received: string[] = [];

  constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data: Buffer) => this.#received.push(data.toString()));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    after(() => this.socket.terminate());
  }

  /** The next message. */
  async next(): Promise<string> {
    while (this.#received.length === 0) {
      if (this.socket.readyState > WebSocket.OPEN) throw new Error('the socket was closed before a message came');
      await Promise.race([new Promise((resolve) => this.socket.once('message', resolve)), this.closed]);
    }
    return this.#received.shift() ?? '';
  }

  /** The next message, parsed. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(await this.next());
  }
}

/** The port of a server that listens, and that is closed after the tests. */
export async function portOf(server: Server): Promise<number> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    after(() => server.close().closeAllConnections());
  }
  return (server.address() as AddressInfo).port;
}

/** Opens a socket at `path`; with a cookie, as a browser of that visitor would. */
export async function connect(server: Server, path: string, cookie?: string): Promise<Client> {
  return new Client(`ws://127.0.0.1:${await portOf(server)}${path}`, cookie === undefined ? {} : { cookie });
}

/** The status with which a handshake is refused. */
export async function refusal(server: Server, path: string, cookie?: string): Promise<number | undefined> {
  const { socket } = await connect(server, path, cookie);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  response.resume();
  socket.terminate();
  return response.statusCode;
}

/** Posts to the site; with a cookie, as a browser of that visitor would. */
export async function post(
  server: Server,
  path: string,
  { cookie, body }: { cookie?: string; body?: string | URLSearchParams } = {},
): Promise<Response> {
  const url = `http://127.0.0.1:${await portOf(server)}${path}`;
  const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  const headers = { origin: 'http://127.0.0.1', ...type, ...(cookie && { cookie }) };
  return fetch(url, { method: 'POST', headers, ...(body && { body }) });
}

/** The cookies that an answer sets, as a browser sends them back. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
}
