// Plain ws once more, with the frames of one tick written into one buffer by hand and let out in one write: how much that alone does.
import { echo, serveByHand } from './by-hand.js';
import { userByKey } from './users-in-memory.js';

const poolBytes = 131_072;
let pool = Buffer.allocUnsafeSlow(poolBytes);

serveByHand({
  find: (key) => userByKey.get(key),
  serveUser: (socket, user, raw) => {
    let end = 0;
    const letOut = (): void => {
      raw.write(pool.subarray(0, end));
      end = 0;
      if (raw.writableLength > 0) pool = Buffer.allocUnsafeSlow(poolBytes); // the system still reads from the other
    };
    echo(socket, user, (text) => {
      if (end === 0) process.nextTick(letOut);
      const length = Buffer.byteLength(text);
      pool[end] = 0x81;
      if (length < 126) {
        pool[end + 1] = length;
        end += 2;
      } else {
        pool[end + 1] = 126;
        pool.writeUInt16BE(length, end + 2);
        end += 4;
      }
      end += pool.write(text, end);
    });
  },
});
