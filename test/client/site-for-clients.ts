import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ChannelServer, DenyConnection, dispatchOn, withAuthenticatedUser, withRequestId, withUserFromToken } from '../../entries/index.js';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import { TestClock } from '../../entries/testing.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

/** What a page does: it makes clients, and keeps what they told. */
const harness = `
import { connectChannel } from '/client.js';
window.begin = ({ path, renews, ...options }) => {
  const told = { states: [], messages: [], renewals: 0 };
  const client = connectChannel(path, {
    ...options,
    random: () => 0.01,
    onMessage: (data) => told.messages.push(data),
    ...(renews && { renew: () => { told.renewals += 1; return fetch('/renew', { method: 'POST' }); } }),
  });
  (async () => { for await (const state of client.states) told.states.push(state); })();
  Object.assign(window, { client, told });
};
window.isReady = true;
`;

let bundle: Promise<string> | undefined;

/** It is made when a page first asks for it: clients in Node never do. */
function bundledClient(): Promise<string> {
  bundle ??= bundleClient();
  return bundle;
}

async function bundleClient(): Promise<string> {
  const entry = fileURLToPath(new URL('../../entries/client.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'browser', write: false });
  return outputFiles[0]?.text ?? '';
}

/**
 * A web site with channels behind a line that a test can cut: `/close` and `/status` tell refusals in their way, and only those who have a
 * token are let in.
 */
export class SiteForClients {
  readonly clock = new TestClock();
  readonly tokens: MemoryTokenRepository;
  /** What has been handled of requests, in order. */
  readonly handled: unknown[] = [];
  readonly line: TcpProxy;
  /** What an order waits for once it was taken. */
  orders: Promise<void> = Promise.resolve();
  /** Whether `/renew` gives another token. */
  canRenew = true;
  readonly #store = new MemorySessionStore({ clock: this.clock });
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  #channels!: ChannelServer;

  private constructor(line: TcpProxy) {
    this.line = line;
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]);
    this.tokens = new MemoryTokenRepository({ users, clock: this.clock });
  }

  static async start(): Promise<SiteForClients> {
    const site = new SiteForClients(await startTcpProxy(0));
    site.#http.listen(0, '127.0.0.1');
    await once(site.#http, 'listening');
    site.line.target = (site.#http.address() as AddressInfo).port;
    site.#startChannels();
    return site;
  }

  get address(): string {
    return `http://127.0.0.1:${this.line.port}`;
  }

  /** A token's key, which ends after `ttlMs` of the clock. */
  async newKey(ttlMs = 60_000): Promise<string> {
    return (await this.tokens.issue('ann', { ttlMs })).key;
  }

  /** The channels that live. */
  get live(): ChannelServer['channels'] {
    return this.#channels.channels;
  }

  /** Ends all channels as a deployment does, and begins anew. */
  async restart(): Promise<void> {
    await this.#channels.close({ timeoutMs: 1_000 });
    this.#startChannels();
  }

  async close(): Promise<void> {
    await this.line[Symbol.asyncDispose]();
    this.#http.closeAllConnections();
    this.#http.close();
    await this.#channels.close({ timeoutMs: 0 });
  }

  #startChannels(): void {
    this.#channels = new ChannelServer(
      {
        connect: withUserFromToken({ tokens: this.tokens })(
          withAuthenticatedUser((message) => {
            if (message.request.url?.includes('denied')) throw new DenyConnection();
            message.channel.sendJson({ hello: message.user.id });
          }),
        ),
        receive: withRequestId(
          dispatchOn('command', {
            order: async ({ body }) => {
              this.handled.push(body);
              await this.orders;
              return { orders: this.handled.length };
            },
          }),
        ),
      },
      { clock: this.clock, session: { store: this.#store, scope: 'user' }, onError: () => undefined, onWarning: () => undefined },
    );
    this.#channels.handleUpgrades(this.#http, { path: '/close', refusals: 'close' });
    this.#channels.handleUpgrades(this.#http, { path: '/status' });
  }

  async #serve({ url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = new URL(url, this.address);
    if (page.pathname === '/renew') {
      if (this.canRenew) response.setHeader('set-cookie', `key=${await this.newKey()}; HttpOnly; SameSite=Lax`);
      response.writeHead(this.canRenew ? 204 : 401).end();
    } else if (page.pathname.endsWith('.js')) {
      const script = page.pathname === '/client.js' ? await bundledClient() : harness;
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    } else if (page.pathname !== '/') {
      response.writeHead(404).end();
    } else {
      response.setHeader('set-cookie', `key=${page.searchParams.get('key') ?? ''}; HttpOnly; SameSite=Lax`);
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>x</title><script type="module" src="/page.js"></script>');
    }
  }
}
