import { connect, type Socket } from 'node:net';

/** A handshake was answered with another status than 101. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The handshake was refused with ${status}.`);
    this.status = status;
  }
}

/** What is read from any socket: it is looked at before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);
const endOfHead = Buffer.from('\r\n\r\n');

/** The bytes of a handshake for `path` with `key` in its cookie. */
export function handshakeWith(key: string, path = '/'): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Cookie: theme=dark; key=${key}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

/** A masked text frame with `text`, of fewer than 126 bytes. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new RangeError('A frame of the load must have fewer than 126 bytes.');
  const mask = [0x5a, 0x17, 0xc3, 0x88] as const;
  return Buffer.from([0x81, 0x80 | payload.length, ...mask, ...payload.map((byte, index) => byte ^ (mask[index & 3] as number))]);
}

/**
 * The client's side of one connection, as cheap as it can be, so that the load is not what is measured: it counts the server's frames,
 * which must have fewer than 126 bytes, and looks into them only where it is asked to.
 */
export class RawConnection {
  readonly #socket: Socket;
  #opened: ((error?: Error) => void) | undefined;
  /** Bytes still to come of the frame at hand. */
  #missing = 0;
  /** Only the first byte of a frame's header has come. */
  #isInHeader = false;
  #text: string[] | undefined;
  /** Told how many frames have ended with what was just read. */
  onFrames: ((count: number) => void) | undefined;
  /** Told each frame's text; slow. */
  onText: ((text: string) => void) | undefined;

  private constructor(port: number, handshake: Buffer, opened: (error?: Error) => void) {
    this.#opened = opened;
    const callback = (length: number): boolean => {
      this.#read(readBuffer.subarray(0, length));
      return true;
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: readBuffer, callback } });
    this.#socket.write(handshake);
    this.#socket.on('error', (error) => this.#open(error));
    this.#socket.on('close', () => this.#open(new Error('The server closed the connection before it answered.')));
  }

  /**
   * Connects; resolves with the connection once the handshake is answered with 101.
   *
   * @param prepare is called at once, before anything can arrive.
   */
  static open(port: number, handshake: Buffer, prepare?: (connection: RawConnection) => void): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const connection: RawConnection = new RawConnection(port, handshake, (error) => (error ? reject(error) : resolve(connection)));
      prepare?.(connection);
    });
  }

  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  /** Ends the connection by a reset: nothing lingers on either side. */
  drop(): void {
    this.#socket.resetAndDestroy();
  }

  #open(error?: Error): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.(error);
  }

  #read(chunk: Buffer): void {
    if (this.#opened === undefined) {
      this.#count(chunk, 0);
      return;
    }
    // the head of an answer is small, and comes in one piece over the loopback
    const end = chunk.indexOf(endOfHead);
    const status = Number(chunk.toString('latin1', 9, 12));
    if (status !== 101 || end < 0) {
      this.#open(status === 101 ? new Error('The head of an answer came in pieces.') : new RefusedError(status));
      this.drop();
      return;
    }
    this.#open();
    this.#count(chunk, end + endOfHead.length);
  }

  #count(chunk: Buffer, start: number): void {
    let at = start;
    let frames = 0;
    while (at < chunk.length) {
      if (this.#missing === 0) {
        if (!this.#isInHeader) at += 1;
        this.#isInHeader = at === chunk.length;
        if (this.#isInHeader) break;
        this.#missing = chunk[at] as number;
        if (this.#missing > 125) throw new RangeError('A server sent a frame of more than 125 bytes.');
        at += 1;
      }
      const taken = Math.min(this.#missing, chunk.length - at);
      if (this.onText !== undefined) this.#keep(chunk.toString('utf8', at, at + taken));
      at += taken;
      this.#missing -= taken;
      if (this.#missing > 0) break;
      frames += 1;
      if (this.#text !== undefined) this.#hand();
    }
    if (frames > 0) this.onFrames?.(frames);
  }

  #keep(part: string): void {
    this.#text ??= [];
    this.#text.push(part);
  }

  #hand(): void {
    const text = (this.#text as string[]).join('');
    this.#text = undefined;
    this.onText?.(text);
  }
}
