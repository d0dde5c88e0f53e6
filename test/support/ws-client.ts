import type { IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { type ClientOptions, type RawData, WebSocket } from 'ws';

/** What a client says in its handshake. */
export interface WsClientOptions extends Pick<ClientOptions, 'perMessageDeflate'> {
  /** Path and query. @default '/' */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  readonly origin?: string;
  readonly protocols?: readonly string[];
}

/** How a handshake was refused. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A `ws` client of one test: everything that arrives is kept, also what comes with the 101, and it is gone when the test is. */
export class WsClient {
  /** The socket itself. */
  readonly socket: WebSocket;
  /** Every message so far, text as strings. */
  readonly received: (string | Buffer)[] = [];
  /** Set where the handshake was not answered with 101. */
  refused: Refusal | undefined;
  readonly #closed: Promise<Closed>;
  #taken = 0;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  private constructor(url: string, options: WsClientOptions) {
    const { path = '/', cookie, protocols = [], headers, ...others } = options;
    const all = { ...headers, ...(cookie !== undefined && { cookie }) };
    this.socket = new WebSocket(`${url}${path}`, [...protocols], { perMessageDeflate: false, ...others, headers: all });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: RawData, isBinary) => {
      this.received.push(isBinary ? (data as Buffer) : String(data));
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.#isClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    onTestFinished(() => this.terminate());
  }

  /** Resolves once the handshake was answered, whatever the answer: look at {@link refused}. */
  static connect(port: number, options: WsClientOptions = {}): Promise<WsClient> {
    const client = new WsClient(`ws://127.0.0.1:${port}`, options);
    return new Promise((resolve, reject) => {
      client.socket.once('open', () => resolve(client));
      client.socket.once('error', reject);
      client.socket.once('unexpected-response', (request, response: IncomingMessage) => {
        void client.#readRefusal(response).then(() => {
          request.destroy();
          resolve(client);
        });
      });
    });
  }

  async #readRefusal(response: IncomingMessage): Promise<void> {
    let body = '';
    for await (const chunk of response) body += String(chunk);
    this.refused = { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** The next message that was not taken yet. Rejects where the connection ends before it. */
  async next(): Promise<string | Buffer> {
    while (this.received.length === this.#taken) {
      if (this.#isClosed) throw new Error('the connection was closed before another message came');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#taken += 1;
    return this.received[this.#taken - 1] as string | Buffer;
  }

  /** {@link next}, parsed. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(String(await this.next()));
  }

  /** The next `count` messages. */
  async take(count: number): Promise<(string | Buffer)[]> {
    const messages: (string | Buffer)[] = [];
    while (messages.length < count) messages.push(await this.next());
    return messages;
  }

  /** Resolves when the connection is closed. */
  closed(): Promise<Closed> {
    return this.#closed;
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  sendJson(value: unknown): void {
    this.send(JSON.stringify(value));
  }

  /** Closes in order; resolves when the connection is closed. */
  close(code = 1000, reason = ''): Promise<Closed> {
    this.socket.close(code, reason);
    return this.#closed;
  }

  /** Drops the connection. */
  terminate(): void {
    this.socket.terminate();
  }
}
