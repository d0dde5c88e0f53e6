import { performance } from 'node:perf_hooks';
import { keyOf } from '../accounts.js';
import { handshakeWith, maskedFrame, RawConnection } from './raw-connection.js';
import { type Counted, spinning } from './spinning.js';

const frame = maskedFrame(JSON.stringify({ type: 'say', text: 'what a fine day for a long walk' }));

/** Connections over which messages go back and forth. */
export class EchoLoad {
  readonly #connections: readonly RawConnection[];

  private constructor(connections: readonly RawConnection[]) {
    this.#connections = connections;
  }

  /** Opens `count` connections, each of another user. */
  static async open(port: number, count: number): Promise<EchoLoad> {
    const opening = Array.from({ length: count }, (_, index) => RawConnection.open(port, handshakeWith(keyOf(index))));
    return new EchoLoad(await Promise.all(opening));
  }

  /**
   * Sends `depth` messages on every connection, awaits the answers to all of them, sends the next, and so on for `ms` milliseconds.
   */
  async run(depth: number, ms: number): Promise<Counted> {
    const window = Buffer.concat(Array.from({ length: depth }, () => frame));
    let isOver = false;
    let count = 0;
    let busy = this.#connections.length;
    const start = performance.now();
    const timer = setTimeout(() => {
      isOver = true;
    }, ms);
    await spinning(
      () =>
        new Promise<void>((resolve) => {
          for (const connection of this.#connections) {
            let answered = 0;
            connection.onFrames = (frames) => {
              answered += frames;
              if (answered < depth) return;
              answered = 0;
              count += depth;
              if (!isOver) connection.write(window);
              else {
                busy -= 1;
                if (busy === 0) resolve();
              }
            };
            connection.write(window);
          }
        }),
    );
    clearTimeout(timer);
    return { count, perSecond: (count * 1_000) / (performance.now() - start) };
  }

  close(): void {
    for (const connection of this.#connections) connection.drop();
  }
}
