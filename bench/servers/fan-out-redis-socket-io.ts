// The room in Socket.IO, of two processes over its adapter for Redis, at the URL that is given.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { serve } from './serve.js';

const publisher = new Redis(process.argv[2] as string);
const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  adapter: createAdapter(publisher, publisher.duplicate()),
});
io.on('connection', (socket) => {
  void socket.join('room');
  socket.on('say', ({ text }: { text: string }) => {
    io.to('room').emit('said', { text });
  });
});
serve(server);
