// What is often written on plain ws: the site's express-session at the handshake, and for each message reload, change, save.
import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import session from 'express-session';
import { WebSocketServer } from 'ws';
import { accountCount, keyOf, nameOf } from '../accounts.js';
import { signingSecret } from '../signed-cookie.js';
import { serve } from './serve.js';

declare module 'express-session' {
  interface SessionData {
    user: string;
    count: number;
  }
}

const store = new session.MemoryStore();
for (let index = 0; index < accountCount; index += 1) {
  const cookie = { originalMaxAge: null, path: '/', httpOnly: true };
  store.set(keyOf(index), { cookie: cookie as session.Cookie, user: nameOf(index), count: 0 });
}
const middleware = session({ name: 'key', secret: signingSecret, store, resave: false, saveUninitialized: false });

const server = createServer();
const webSockets = new WebSocketServer({ noServer: true, clientTracking: false });
server.on('upgrade', (request: IncomingMessage & Partial<Pick<Request, 'session'>>, raw, head) => {
  raw.on('error', () => undefined);
  middleware(request as Request, new ServerResponse(request) as Response, () => {
    const found = request.session;
    if (found?.user === undefined) {
      raw.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, raw, head, (socket) => {
      socket.on('error', () => undefined);
      // one after the other, or the messages of one write would all count from the same number
      let last = Promise.resolve();
      const answer = (text: string): Promise<void> =>
        new Promise((resolve) => {
          found.reload(() => {
            const current = request.session as typeof found;
            current.count = (current.count ?? 0) + 1;
            current.save(() => {
              socket.send(JSON.stringify({ user: current.user, count: current.count, text }));
              resolve();
            });
          });
        });
      socket.on('message', (data) => {
        const { text } = JSON.parse(data.toString()) as { text: string };
        last = last.then(() => answer(text));
      });
    });
  });
});
serve(server);
