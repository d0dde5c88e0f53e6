import { accountCount, keyOf } from '../accounts.js';
import { type Dialect, handshakeIn, join } from './dialect.js';
import type { RawConnection } from './raw-connection.js';
import { someAtATime } from './some-at-a-time.js';
import { type Counted, countFor } from './spinning.js';

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
    await someAtATime(until(isOver, handshakes), async (handshake) => void open.push(await join(port, handshake, dialect)));
    return open.length;
  });
  await done?.();
  for (const connection of open) connection.drop();
  return counted;
}

/** `handshakes` over and over, until `isOver`. */
function* until(isOver: () => boolean, handshakes: readonly Buffer[]): Generator<Buffer> {
  while (true) {
    for (const handshake of handshakes) {
      if (isOver()) return;
      yield handshake;
    }
  }
}

/** Opens `count` connections, some at a time, which then do nothing. */
export async function openIdle(port: number, count: number, dialect: Dialect): Promise<{ close(): void }> {
  const handshakes = handshakesIn(dialect);
  const open: RawConnection[] = [];
  const wanted = Array.from({ length: count }, (_, index) => handshakes[index % handshakes.length] as Buffer);
  await someAtATime(wanted, async (handshake) => void open.push(await join(port, handshake, dialect)));
  return {
    close() {
      for (const connection of open) connection.drop();
    },
  };
}
