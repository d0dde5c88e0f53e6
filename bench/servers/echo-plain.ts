// The base of the comparison: what one writes by hand on plain ws.
import { echo, serveByHand } from './by-hand.js';
import { userByKey } from './users-in-memory.js';

serveByHand({
  find: (key) => userByKey.get(key),
  serveUser: (socket, user) => echo(socket, user, (text) => socket.send(text)),
});
