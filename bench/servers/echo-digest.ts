// Plain ws once more, with tokens as ws-with keeps them: found by their digest, in a repository that is awaited.
import { echo, serveByHand } from './by-hand.js';
import { userOfKey } from './users-by-digest.js';

serveByHand({
  find: userOfKey,
  serveUser: (socket, user) => echo(socket, user, (text) => socket.send(text)),
});
