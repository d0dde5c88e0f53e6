// Plain ws once more, with the frames of one tick written together: how much that alone does.
import { echo, serveByHand } from './by-hand.js';
import { userByKey } from './users-in-memory.js';

serveByHand({
  find: (key) => userByKey.get(key),
  serveUser: (socket, user, raw) => {
    let isCorked = false;
    const uncork = (): void => {
      isCorked = false;
      raw.uncork();
    };
    echo(socket, user, (text) => {
      if (!isCorked) {
        isCorked = true;
        raw.cork();
        process.nextTick(uncork);
      }
      socket.send(text);
    });
  },
});
