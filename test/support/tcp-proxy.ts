import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a {@link TcpProxy} does with what it gets. */
export type ProxyMode = 'forward' | 'swallow' | 'refuse';

/** Stands between a client and its server, and breaks what is between them in the ways that networks do. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** The port of the server: for connections that are opened from now on. */
  target: number;
  /** How many connections clients have opened so far. */
  readonly opened: number;
  /**
   * `forward`: as if it were not there. `swallow`: connections stay open and are accepted, and nothing arrives any more, in either
   * direction; those of that time stay dead for good. `refuse`: all connections are reset, and new ones at once.
   */
  setMode(mode: ProxyMode): void;
  /**
   * What is connected now hears nothing more (`all`), or is heard and hears no answers (`answers`), and is told nothing of it. New
   * connections are as ever.
   */
  freeze(what: 'all' | 'answers'): void;
  /** Holds each chunk from the server back for `ms` milliseconds. */
  setDelay(ms: number): void;
}

/** Starts a proxy in front of 127.0.0.1:`target`. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const proxy = new RunningProxy(target);
  await proxy.listening();
  return proxy;
}

/** A connection of a client, and the one to its server. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** What still passes: all, what the client says, or nothing. */
  passes: 'all' | 'questions' | 'nothing';
}

class RunningProxy implements TcpProxy {
  readonly #server: Server = createServer((client) => this.#accept(client));
  readonly #pairs = new Set<Pair>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #mode: ProxyMode = 'forward';
  #delayMs = 0;
  target: number;
  opened = 0;

  constructor(target: number) {
    this.target = target;
  }

  async listening(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  setMode(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.#reset();
  }

  freeze(what: 'all' | 'answers'): void {
    for (const pair of this.#pairs) if (pair.passes !== 'nothing') pair.passes = what === 'all' ? 'nothing' : 'questions';
  }

  setDelay(ms: number): void {
    this.#delayMs = ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #reset(): void {
    for (const { client, upstream } of this.#pairs) for (const socket of [client, upstream]) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  #accept(client: Socket): void {
    this.opened += 1;
    client.on('error', () => {});
    if (this.#mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const passes = this.#mode === 'swallow' ? 'nothing' : 'all';
    const pair: Pair = { client, upstream: connect(this.target, '127.0.0.1'), passes };
    this.#forward(pair, client, pair.upstream);
    this.#forward(pair, pair.upstream, client);
    this.#pairs.add(pair);
  }

  #forward(pair: Pair, from: Socket, to: Socket): void {
    from.on('error', () => {});
    from.on('data', (data) => {
      if (this.#mode === 'swallow') pair.passes = 'nothing';
      if (pair.passes === 'nothing' || (pair.passes === 'questions' && from === pair.upstream)) return;
      if (from === pair.client || this.#delayMs === 0) to.write(data);
      else this.#later(() => to.write(data));
    });
    from.on('close', () => {
      if (from === pair.upstream && pair.passes !== 'all') return; // the client is told nothing of it
      this.#pairs.delete(pair);
      to.destroy();
    });
  }

  #later(run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, this.#delayMs);
    this.#timers.add(timer);
  }
}
