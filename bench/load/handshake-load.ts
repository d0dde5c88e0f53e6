import { performance } from 'node:perf_hooks';
import { accountCount, keyOf } from '../accounts.js';
import { handshakeWith, RawConnection } from './raw-connection.js';
import { spinning } from './spinning.js';

/** How many connections are being opened at any moment. */
const concurrency = 16;

const handshakes = Array.from({ length: 1_000 }, (_, index) => handshakeWith(keyOf(index % accountCount)));

/** Opens connections for `ms` milliseconds and drops each as soon as its handshake is answered; returns how many per second. */
export async function handshakesPerSecond(port: number, ms: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      const connection = await RawConnection.open(port, handshakes[count % handshakes.length] as Buffer);
      connection.drop();
      count += 1;
    }
  };
  await spinning(() => Promise.all(Array.from({ length: concurrency }, worker)));
  return (count * 1_000) / (performance.now() - start);
}

/** Opens `count` connections, `concurrency` at a time, which then do nothing. */
export async function openIdle(port: number, count: number): Promise<{ close(): void }> {
  const open: RawConnection[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      open.push(await RawConnection.open(port, handshakes[next % handshakes.length] as Buffer));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return {
    close() {
      for (const connection of open) connection.drop();
    },
  };
}
