import { performance } from 'node:perf_hooks';
import { accountCount, keyOf } from '../accounts.js';
import { handshakeWith, RawConnection } from './raw-connection.js';
import { type Counted, spinning } from './spinning.js';

/** How many connections are being opened at any moment. */
const concurrency = 16;

const handshakes = Array.from({ length: 1_000 }, (_, index) => handshakeWith(keyOf(index % accountCount)));

/**
 * Opens connections for `ms` milliseconds, and drops them all afterwards: closing is not what is measured.
 *
 * @param done is called before they are dropped.
 */
export async function openForTime(port: number, ms: number, done?: () => Promise<void>): Promise<Counted> {
  const start = performance.now();
  const open: RawConnection[] = [];
  const worker = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      open.push(await RawConnection.open(port, handshakes[open.length % handshakes.length] as Buffer));
    }
  };
  await spinning(() => Promise.all(Array.from({ length: concurrency }, worker)));
  const perSecond = (open.length * 1_000) / (performance.now() - start);
  await done?.();
  for (const connection of open) connection.drop();
  return { count: open.length, perSecond };
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
