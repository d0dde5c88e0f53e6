import { performance } from 'node:perf_hooks';
import { keyOf } from '../accounts.js';
import { type Dialect, handshakeIn, join } from './dialect.js';
import { maskedFrame, type RawConnection } from './raw-connection.js';
import { type Counted, countFor, spinning } from './spinning.js';

const said = JSON.stringify({ type: 'say', text: 'what a fine day for a long walk' });

/** Connections over which messages go back and forth. */
export class EchoLoad {
  readonly #connections: readonly RawConnection[];
  readonly #frame: Buffer;

  private constructor(connections: readonly RawConnection[], frame: Buffer) {
    this.#connections = connections;
    this.#frame = frame;
  }

  /** Opens `count` connections, each of another user. */
  static async open(port: number, count: number, dialect: Dialect): Promise<EchoLoad> {
    const opening = Array.from({ length: count }, (_, index) => join(port, handshakeIn(dialect, keyOf(index)), dialect));
    return new EchoLoad(await Promise.all(opening), maskedFrame(dialect.wrap(said)));
  }

  /**
   * Sends `depth` messages on every connection, awaits the answers to all of them, sends the next, and so on for `ms` milliseconds.
   */
  run(depth: number, ms: number): Promise<Counted> {
    const window = Buffer.concat(Array.from({ length: depth }, () => this.#frame));
    return countFor(
      ms,
      (isOver) =>
        new Promise((resolve) => {
          let count = 0;
          let busy = this.#connections.length;
          for (const connection of this.#connections) {
            let answered = 0;
            connection.onFrames = (frames) => {
              answered += frames;
              if (answered < depth) return;
              answered = 0;
              count += depth;
              if (!isOver()) {
                connection.write(window);
                return;
              }
              busy -= 1;
              if (busy === 0) resolve(count);
            };
            connection.write(window);
          }
        }),
    );
  }

  /**
   * Sends a message every `1_000 / perSecond` milliseconds, whatever has been answered, on one connection after the other, for `ms`
   * milliseconds; returns how long each answer took, in milliseconds.
   */
  async runAt(perSecond: number, ms: number): Promise<number[]> {
    const total = Math.floor((perSecond * ms) / 1_000);
    const times: number[] = [];
    await spinning(
      () =>
        new Promise<void>((resolve) => {
          for (const connection of this.#connections) {
            connection.onFrames = (frames) => {
              const now = performance.now();
              for (let frame = 0; frame < frames; frame += 1) times.push(now - (sentAt.get(connection)?.shift() ?? now));
              if (times.length === total) resolve();
            };
          }
          const sentAt = new Map<RawConnection, number[]>(this.#connections.map((connection) => [connection, []]));
          const start = performance.now();
          let sent = 0;
          const send = (): void => {
            const now = performance.now();
            while (sent < total && now - start >= (sent * 1_000) / perSecond) {
              const connection = this.#connections[sent % this.#connections.length] as RawConnection;
              sentAt.get(connection)?.push(now);
              connection.write(this.#frame);
              sent += 1;
            }
            if (sent < total) setImmediate(send);
          };
          send();
        }),
    );
    return times;
  }

  close(): void {
    for (const connection of this.#connections) connection.drop();
  }
}
