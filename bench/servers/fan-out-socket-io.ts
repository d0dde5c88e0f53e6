// The same room in Socket.IO, over WebSocket alone and without its acknowledgements.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { serve } from './serve.js';

const server = createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });
io.on('connection', (socket) => {
  void socket.join('room');
  socket.on('say', ({ text }: { text: string }) => {
    io.to('room').emit('said', { text });
  });
});
serve(server);
