import { onTestFinished } from 'vitest';
import { type ClientOptions, type ClientState, connectChannel } from '../../entries/client.js';
import { TestClock } from '../../entries/testing.js';

type Listener = (event: unknown) => void;

/** A socket of the client's that a test plays the server to. */
export class FakeSocket {
  readyState = 0;
  binaryType = 'blob';
  readonly sent: unknown[] = [];
  /** What the client closed it with. */
  closedWith: readonly [code: number | undefined, reason: string | undefined] | undefined;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(
    readonly url: string,
    readonly protocols?: string | string[],
  ) {}

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) throw new DOMException('invalid code', 'InvalidAccessError');
    this.closedWith ??= [code, reason];
    this.readyState = 2;
  }

  #tell(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  open(): void {
    this.readyState = 1;
    this.#tell('open', {});
  }

  receive(data: unknown): void {
    this.#tell('message', { data: typeof data === 'string' || data instanceof ArrayBuffer ? data : JSON.stringify(data) });
  }

  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    if (code === 1006) this.#tell('error', {});
    this.#tell('close', { code, reason });
  }

  /** Fails as sockets of Node 22 do, which tell of an error alone where they cannot connect. */
  fail(): void {
    this.readyState = 3;
    this.#tell('error', {});
  }

  /** What was sent, parsed, but for pings. */
  get messages(): Readonly<Record<string, unknown>>[] {
    return this.all.filter((message) => !('ping' in message));
  }

  get pings(): Readonly<Record<string, unknown>>[] {
    return this.all.filter((message) => 'ping' in message);
  }

  get all(): Readonly<Record<string, unknown>>[] {
    return this.sent.map((data) => JSON.parse(String(data)) as Readonly<Record<string, unknown>>);
  }
}

/** A socket as that of `ws`, which tells statuses and can be dropped. */
export class FakeNodeSocket extends FakeSocket {
  isTerminated = false;
  #onResponse: ((request: unknown, response: unknown) => void) | undefined;

  on(_: string, listener: (request: unknown, response: unknown) => void): void {
    this.#onResponse = listener;
  }

  terminate(): void {
    this.isTerminated = true;
    this.end();
  }

  refuse(statusCode: number, headers = {}): void {
    this.#onResponse?.({}, { statusCode, headers });
  }
}

/** A client whose time and chance a test decides, and all its sockets. */
export function makeClient<Socket extends FakeSocket = FakeSocket>(
  options: ClientOptions = {},
  Base: new (url: string, protocols?: string | string[]) => Socket = FakeSocket as never,
  url = 'wss://chat.example/',
) {
  const clock = new TestClock();
  const sockets: Socket[] = [];
  const Recorded = class extends (Base as unknown as typeof FakeSocket) {
    constructor(to: string, protocols?: string | string[]) {
      super(to, protocols);
      sockets.push(this as unknown as Socket);
    }
  };
  const WebSocket = Recorded as unknown as NonNullable<ClientOptions['WebSocket']>;
  const client = connectChannel(url, { clock, WebSocket, random: () => 0.5, ...options });
  const states: ClientState[] = [];
  const read = (async () => {
    for await (const state of client.states) states.push(state);
  })();
  onTestFinished(async () => {
    client.close();
    await read;
  });
  return {
    client,
    clock,
    sockets,
    states,
    /** The newest socket, opened. */
    async opened(): Promise<Socket> {
      await clock.advance(0);
      const socket = sockets.at(-1) as Socket;
      if (socket.readyState === 0) socket.open();
      await clock.advance(0);
      return socket;
    },
    /** The newest socket, once everything that is due has run. */
    async newest(): Promise<Socket> {
      await clock.advance(0);
      return sockets.at(-1) as Socket;
    },
  };
}
