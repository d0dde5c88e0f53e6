import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { parseCookie } from 'cookie';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';

/** How a server written by hand differs from the next. */
export interface ByHand {
  /** Finds the user of a key, before the handshake is answered. */
  readonly find: (key: string) => Promise<BenchUser | undefined> | BenchUser | undefined;
  /** What a connection does once it is open. */
  readonly serveUser: (socket: WebSocket, user: BenchUser, raw: Socket) => void;
}

/** A server on plain `ws`: it verifies the cookie `key` before the 101, and refuses with 401. */
export function serveByHand({ find, serveUser }: ByHand): void {
  const server = createServer();
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false });
  const answer = (user: BenchUser | undefined, request: IncomingMessage, raw: Socket, head: Buffer): void => {
    if (user === undefined) {
      raw.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    raw.off('error', ignoreError); // ws has its own from here on
    webSockets.handleUpgrade(request, raw, head, (socket) => {
      socket.on('error', ignoreError);
      serveUser(socket, user, raw);
    });
  };
  server.on('upgrade', (request: IncomingMessage, raw: Socket, head: Buffer) => {
    raw.on('error', ignoreError);
    const key = parseCookie(request.headers.cookie ?? '')['key'];
    const found = key === undefined ? undefined : find(key);
    if (found instanceof Promise) {
      found.then(
        (user) => answer(user, request, raw, head),
        () => raw.destroy(),
      );
    } else answer(found, request, raw, head);
  });
  serve(server);
}

function ignoreError(): void {}

/** Answers each message with the user's name, a count of the connection's own and the text. */
export function echo(socket: WebSocket, user: BenchUser, send: (text: string) => void): void {
  const session = { count: 0 };
  socket.on('message', (data: RawData) => {
    const { text } = JSON.parse(data.toString()) as { text: string };
    session.count += 1;
    send(JSON.stringify({ user: user.name, count: session.count, text }));
  });
}
