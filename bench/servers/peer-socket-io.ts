// The same work with Socket.IO, over WebSocket alone: `allowRequest` refuses, with 400, and a middleware finds the user.
import { createServer } from 'node:http';
import { parseCookie } from 'cookie';
import { Server } from 'socket.io';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { userByKey } from './users-in-memory.js';

const userOfCookie = (cookie = ''): BenchUser | undefined => userByKey.get(parseCookie(cookie)['key'] ?? '');

const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  pingInterval: 300_000, // a ping would be counted as an answer
  allowRequest: (request, decide) => decide(null, userOfCookie(request.headers.cookie) !== undefined),
});
io.on('connection', (socket) => {
  const user = userOfCookie(socket.handshake.headers.cookie) as BenchUser;
  let count = 0;
  socket.on('say', ({ text }: { text: string }) => {
    count += 1;
    socket.emit('said', { user: user.name, count, text });
  });
});
serve(server);
