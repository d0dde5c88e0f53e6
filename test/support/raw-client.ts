import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { frameOf } from './frames.js';

/** One frame as it arrived. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** What a handshake says beside what every handshake must. */
export interface RawHandshake {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in one piece with the handshake. */
  readonly head?: Buffer;
}

/** The opcodes of RFC 6455, section 5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A masked frame, as clients send them (RFC 6455, section 5.2). */
export function frame(payload: string | Buffer, opcode: number = opcodes.text): Buffer {
  return frameOf({ opcode, payload });
}

/** A masked close frame. */
export function closeFrame(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame(payload, opcodes.close);
}

/** A client on a bare socket, for tests in which it matters which bytes leave, when, and together with which others. */
export class RawClient {
  readonly socket: Socket;
  #input: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#wake();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
    onTestFinished(() => void socket.destroy());
  }

  /** Opens a connection and says nothing yet. Half-open: it stays until the test ends it, whatever the server does. */
  static async open(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** {@link open}, and sends the handshake. */
  static async upgrade(port: number, handshake: RawHandshake = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.sendHandshake(port, handshake);
    return client;
  }

  /** {@link upgrade}, once it was answered with 101. */
  static async connect(port: number, handshake?: RawHandshake): Promise<RawClient> {
    const client = await RawClient.upgrade(port, handshake);
    expect(await client.status()).toBe(101);
    return client;
  }

  sendHandshake(port: number, { path = '/', headers = {}, head = Buffer.alloc(0) }: RawHandshake = {}): void {
    const all = {
      Host: `127.0.0.1:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), head]));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    while (!isThere()) {
      if (this.#isEnded) throw new Error(`the connection ended before ${what} came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The status of the answer to the handshake; its head is taken from what {@link nextFrame} reads. */
  async status(): Promise<number> {
    return Number((await this.answer()).split(' ')[1]);
  }

  /** The head of the answer to the handshake. */
  async answer(): Promise<string> {
    await this.#until(() => this.#input.includes('\r\n\r\n'), 'an answer');
    const end = this.#input.indexOf('\r\n\r\n') + 4;
    const head = this.#input.toString('latin1', 0, end);
    this.#input = this.#input.subarray(end);
    return head;
  }

  /** What follows the head of an answer. */
  async body(length: number): Promise<Buffer> {
    await this.#until(() => this.#input.length >= length, 'a body');
    const body = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    return body;
  }

  /** The next frame of the server. */
  async nextFrame(): Promise<Frame> {
    await this.#until(() => this.#input.length >= 2, 'a frame');
    const short = (this.#input[1] as number) & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    await this.#until(() => this.#input.length >= start, 'a frame');
    const length = short < 126 ? short : short === 126 ? this.#input.readUInt16BE(2) : Number(this.#input.readBigUInt64BE(2));
    await this.#until(() => this.#input.length >= start + length, 'a whole frame');
    const opcode = (this.#input[0] as number) & 0x0f;
    const payload = Buffer.from(this.#input.subarray(start, start + length));
    this.#input = this.#input.subarray(start + length);
    return { opcode, payload };
  }

  /** The code of the close frame, which is the next frame but for text and binary ones. */
  async closeCode(): Promise<number> {
    let next = await this.nextFrame();
    while (next.opcode !== opcodes.close) next = await this.nextFrame();
    return next.payload.readUInt16BE(0);
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    while (!this.#isEnded) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A FIN. */
  finish(): void {
    this.socket.end();
  }

  /** An RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** How a client may end its connection. */
export const waysToLeave = {
  FIN: (client: RawClient): void => client.finish(),
  RST: (client: RawClient): void => client.reset(),
} as const;
