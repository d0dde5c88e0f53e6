import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a {@link TcpProxy} does with what it gets. */
export type ProxyMode = 'forward' | 'swallow' | 'refuse';

/** Stands between a client and its server, and breaks what is between them in the ways that networks do. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections clients have opened so far. */
  readonly opened: number;
  /**
   * `forward`: as if it were not there. `swallow`: connections stay open and are accepted, and nothing arrives any more, in either
   * direction; those of that time stay dead for good. `refuse`: all connections are reset, and new ones at once.
   */
  setMode(mode: ProxyMode): void;
  /** Holds each chunk from the server back for `ms` milliseconds. */
  setDelay(ms: number): void;
}

/** Starts a proxy in front of 127.0.0.1:`target`. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const timers = new Set<NodeJS.Timeout>();
  let mode: ProxyMode = 'forward';
  let delayMs = 0;
  let opened = 0;

  const reset = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    pairs.clear();
  };
  const server = createServer((client) => {
    opened += 1;
    client.on('error', () => {});
    if (mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    const pair = [client, upstream] as const;
    let dead = mode === 'swallow';
    const forward = (from: Socket, to: Socket, isDelayed: boolean): void => {
      from.on('error', () => {});
      from.on('data', (data) => {
        dead ||= mode === 'swallow';
        if (dead) return;
        if (!isDelayed || delayMs === 0) {
          to.write(data);
          return;
        }
        const timer = setTimeout(() => {
          timers.delete(timer);
          to.write(data);
        }, delayMs);
        timers.add(timer);
      });
      from.on('close', () => {
        pairs.delete(pair);
        if (!dead) to.destroy();
        else if (from === client) upstream.destroy();
      });
    };
    forward(client, upstream, false);
    forward(upstream, client, true);
    pairs.add(pair);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    get opened() {
      return opened;
    },
    setMode(next) {
      mode = next;
      if (mode === 'refuse') reset();
    },
    setDelay(ms) {
      delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}
