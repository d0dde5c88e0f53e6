import { performance } from 'node:perf_hooks';
import { keyOf, nameOf } from '../accounts.js';
import { handshakeWith, RawConnection } from './raw-connection.js';

/** Lets `handshakes` (of the accounts 0, 1, 2, …) connect at once; returns the milliseconds until every client was told its name. */
export async function storm(port: number, handshakes: readonly Buffer[]): Promise<number> {
  const start = performance.now();
  const connections: RawConnection[] = [];
  const clients = handshakes.map(
    (handshake, index) =>
      new Promise<void>((resolve, reject) => {
        const opening = RawConnection.open(port, handshake, (connection) => {
          connections.push(connection);
          connection.onText = (text) => {
            if ((JSON.parse(text) as { user: string }).user === nameOf(index)) resolve();
            else reject(new Error('A client was taken for somebody else.'));
          };
        });
        opening.catch(reject);
      }),
  );
  try {
    await Promise.all(clients);
    return performance.now() - start;
  } finally {
    for (const connection of connections) connection.drop();
  }
}

/** The handshakes of `count` clients, each of another user. */
export function handshakesOf(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => handshakeWith(keyOf(index)));
}
