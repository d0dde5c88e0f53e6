// The same room in crossws: each peer subscribes, and the sender publishes to the others and sends to itself.
import { createServer } from 'node:http';
import crossws from 'crossws/adapters/node';
import { serve } from './serve.js';

const sockets = crossws({
  hooks: {
    open(peer) {
      peer.subscribe('room');
    },
    message(peer, message) {
      const { text } = message.json<{ text: string }>();
      const said = JSON.stringify({ text });
      peer.publish('room', said);
      peer.send(said);
    },
  },
});

const server = createServer();
server.on('upgrade', (request, raw, head) => void sockets.handleUpgrade(request, raw, head));
serve(server);
