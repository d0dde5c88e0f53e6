import { accountCount, keyOf } from '../accounts.js';
import { type Dialect, handshakeIn, join } from './dialect.js';
import type { RawConnection } from './raw-connection.js';
import { type Counted, countFor } from './spinning.js';

/** How many connections are being opened at any moment. */
const concurrency = 16;

const madeIn = new Map<Dialect, readonly Buffer[]>();

/** Handshakes of different users, made before anything is measured. */
function handshakesIn(dialect: Dialect): readonly Buffer[] {
  const made = madeIn.get(dialect) ?? Array.from({ length: 1_000 }, (_, index) => handshakeIn(dialect, keyOf(index % accountCount)));
  madeIn.set(dialect, made);
  return made;
}

/**
 * Opens connections for `ms` milliseconds, and drops them all afterwards: closing is not what is measured.
 *
 * @param done is called before they are dropped.
 */
export async function openForTime(port: number, ms: number, dialect: Dialect, done?: () => Promise<void>): Promise<Counted> {
  const handshakes = handshakesIn(dialect);
  const open: RawConnection[] = [];
  const counted = await countFor(ms, async (isOver) => {
    const worker = async (): Promise<void> => {
      while (!isOver()) open.push(await join(port, handshakes[open.length % handshakes.length] as Buffer, dialect));
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return open.length;
  });
  await done?.();
  for (const connection of open) connection.drop();
  return counted;
}

/** Opens `count` connections, `concurrency` at a time, which then do nothing. */
export async function openIdle(port: number, count: number, dialect: Dialect): Promise<{ close(): void }> {
  const handshakes = handshakesIn(dialect);
  const open: RawConnection[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      open.push(await join(port, handshakes[next % handshakes.length] as Buffer, dialect));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return {
    close() {
      for (const connection of open) connection.drop();
    },
  };
}
