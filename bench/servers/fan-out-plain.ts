// A room by hand on plain ws: what one member says is sent to all, one after the other.
import type { RawData, WebSocket } from 'ws';
import { serveByHand } from './by-hand.js';
import { userByKey } from './users-in-memory.js';

const members = new Set<WebSocket>();

serveByHand({
  find: (key) => userByKey.get(key),
  serveUser(socket) {
    members.add(socket);
    socket.on('close', () => members.delete(socket));
    socket.on('message', (data: RawData) => {
      const { text } = JSON.parse(data.toString()) as { text: string };
      const said = JSON.stringify({ text });
      for (const member of members) member.send(said);
    });
  },
});
