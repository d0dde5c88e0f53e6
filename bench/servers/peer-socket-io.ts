// The same work with Socket.IO, over WebSocket alone: `allowRequest` finds the user, and refuses with 400.
import { createServer, type IncomingMessage } from 'node:http';
import { Server } from 'socket.io';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { userOfCookie } from './users-by-digest.js';

const users = new WeakMap<IncomingMessage, BenchUser>();

async function isAllowed(request: IncomingMessage): Promise<boolean> {
  const user = await userOfCookie(request.headers.cookie);
  if (user !== undefined) users.set(request, user);
  return user !== undefined;
}

const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  pingInterval: 300_000, // a ping would be counted as an answer
  allowRequest: (request, decide) => void isAllowed(request).then((isIn) => decide(null, isIn)),
});
io.on('connection', (socket) => {
  const user = users.get(socket.request) as BenchUser;
  let count = 0;
  socket.on('say', ({ text }: { text: string }) => {
    count += 1;
    socket.emit('said', { user: user.name, count, text });
  });
});
serve(server);
