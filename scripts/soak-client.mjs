import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const opcodes = { text: 1, close: 8 };

/** A masked frame of less than 126 bytes, as clients send them (RFC 6455, section 5.2). */
function frame(opcode, payload) {
  const data = Buffer.from(payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | data.length]), mask, data.map((byte, index) => byte ^ mask[index % 4])]);
}

/** A client on a bare socket: cheap, and gone in the middle of anything. */
export class SoakClient {
  #port;
  #key;
  #random;
  #socket;
  #input = Buffer.alloc(0);
  #wake = () => {};

  /**
   * @param {number} port
   * @param {string} key of a token
   * @param {() => number} random from 0 to 1
   */
  constructor(port, key, random) {
    this.#port = port;
    this.#key = key;
    this.#random = random;
  }

  get #handshake() {
    const lines = [
      'GET /chat HTTP/1.1',
      `Host: 127.0.0.1:${this.#port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `Cookie: key=${this.#key}`,
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  }

  async #open() {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    await once(socket, 'connect');
  }

  async #until(isThere) {
    while (!isThere()) {
      if (this.#socket.destroyed) throw new Error('the connection ended too soon');
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #upgrade() {
    await this.#open();
    this.#socket.write(this.#handshake);
    await this.#until(() => this.#input.includes('\r\n\r\n'));
    const end = this.#input.indexOf('\r\n\r\n') + 4;
    const status = this.#input.toString('latin1', 9, 12);
    if (status !== '101') throw new Error(`the handshake was answered with ${status}`);
    this.#input = this.#input.subarray(end);
  }

  /** The payload of the next frame, which has less than 126 bytes. */
  async #next() {
    await this.#until(() => this.#input.length >= 2 && this.#input.length >= 2 + (this.#input[1] & 0x7f));
    const end = 2 + (this.#input[1] & 0x7f);
    const payload = this.#input.toString('utf8', 2, end);
    this.#input = this.#input.subarray(end);
    return payload;
  }

  async #leave() {
    const closed = once(this.#socket, 'close');
    this.#socket.write(frame(opcodes.close, Buffer.from([3, 232])));
    await closed;
  }

  /** Comes, says one thing, hears it back and closes in order. */
  async visit(text) {
    await this.#upgrade();
    this.#socket.write(frame(opcodes.text, text));
    const answer = await this.#next();
    if (answer !== text) throw new Error(`"${text}" was answered with "${answer}"`);
    await this.#leave();
  }

  /** Says `count` things, `atOnce` of them without waiting for answers. */
  async converse(count, atOnce) {
    await this.#upgrade();
    for (let said = 0; said < count; said += atOnce) {
      const texts = Array.from({ length: Math.min(atOnce, count - said) }, (_, index) => `message ${said + index}`);
      this.#socket.write(Buffer.concat(texts.map((text) => frame(opcodes.text, text))));
      for (const text of texts) {
        const answer = await this.#next();
        if (answer !== text) throw new Error(`"${text}" was answered with "${answer}"`);
      }
    }
    await this.#leave();
  }

  /** Begins as {@link visit} does, and is gone after a random number of bytes, or of answers: by FIN or by RST. */
  async abortSomewhere() {
    await this.#open();
    const bytes = Buffer.concat([this.#handshake, frame(opcodes.text, 'never finished')]);
    const point = this.#random();
    if (point < 0.8) this.#socket.write(bytes.subarray(0, Math.floor((point / 0.8) * (bytes.length + 1))));
    else {
      this.#socket.write(bytes);
      await this.#until(() => this.#input.length > 0).catch(() => {});
      if (point > 0.9) this.#socket.write(frame(opcodes.text, 'half of it').subarray(0, 9));
    }
    const closed = once(this.#socket, 'close');
    if (this.#random() < 0.5) this.#socket.resetAndDestroy();
    else this.#socket.end();
    // a server that waits for the rest of a handshake does not hang up by itself
    const waiting = setTimeout(() => this.#socket.destroy(), 50);
    await closed;
    clearTimeout(waiting);
  }
}
