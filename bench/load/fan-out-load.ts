import { keyOf } from '../accounts.js';
import { type Dialect, handshakeIn, join } from './dialect.js';
import { maskedFrame, type RawConnection } from './raw-connection.js';
import { someAtATime } from './some-at-a-time.js';
import { type Counted, countFor } from './spinning.js';

/** What a member says. */
const said = JSON.stringify({ type: 'say', text: 'what a fine day for a long walk' });

/** How many speak, and how much each says before all have heard it. */
export interface Speech {
  readonly speakers: number;
  readonly depth: number;
}

/** A room: one or many of its members speak, and all hear it. */
export class FanOutLoad {
  readonly #members: readonly RawConnection[];
  readonly #frame: Buffer;

  private constructor(members: readonly RawConnection[], frame: Buffer) {
    this.#members = members;
    this.#frame = frame;
  }

  /**
   * Opens a room of `count` members at `port`.
   *
   * @param speakerPort where the one who speaks is. @default at `port`
   */
  static async open(port: number, count: number, dialect: Dialect, speakerPort = port): Promise<FanOutLoad> {
    const members: RawConnection[] = [];
    members.push(await join(speakerPort, handshakeIn(dialect, keyOf(0)), dialect));
    const others = Array.from({ length: count - 1 }, (_, index) => handshakeIn(dialect, keyOf(index + 1)));
    await someAtATime(others, async (handshake) => void members.push(await join(port, handshake, dialect)));
    return new FanOutLoad(members, maskedFrame(dialect.wrap(said)));
  }

  /**
   * The speakers say `depth` things each, await that all have heard all of them, say the next, and so on for `ms` milliseconds; counts what
   * was heard.
   */
  run({ speakers, depth }: Speech, ms: number): Promise<Counted> {
    const window = Buffer.concat(Array.from({ length: depth }, () => this.#frame));
    const speaking = this.#members.slice(0, speakers);
    const expected = depth * speaking.length * this.#members.length;
    const speak = (): void => {
      for (const member of speaking) member.write(window);
    };
    return countFor(
      ms,
      (isOver) =>
        new Promise((resolve) => {
          let heard = 0;
          let count = 0;
          const onFrames = (frames: number): void => {
            heard += frames;
            if (heard < expected) return;
            heard = 0;
            count += expected;
            if (isOver()) resolve(count);
            else speak();
          };
          for (const member of this.#members) member.onFrames = onFrames;
          speak();
        }),
    );
  }

  close(): void {
    for (const member of this.#members) member.drop();
  }
}
