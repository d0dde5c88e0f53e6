import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChannelServer, container, type DependencyContainer } from 'ws-with';
import { demoAccounts } from './accounts.js';
import { type Backend, memoryBackend, type OpenBackend } from './backend.js';
import { chatHandlers } from './handlers.js';
import { Site } from './http.js';
import type { Auth } from './identified.js';
import { Rooms } from './rooms.js';
import { SessionLogIns } from './session-log-ins.js';
import { TokenLogIns } from './token-log-ins.js';

/** How to start the chat. */
export interface MultiChatOptions {
  readonly auth: Auth;
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 takes a free one. @default 0 */
  readonly port?: number | undefined;
  /** The address that browsers see where a proxy stands in front. With `https:` the cookie is `Secure`. @default that of the request */
  readonly publicOrigin?: string | undefined;
  /** @default everything in memory */
  readonly backend?: OpenBackend | undefined;
}

/** A running chat. */
export interface MultiChat {
  /** Where it is, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly channels: ChannelServer;
  /** Says goodbye to every channel, and resolves once nothing is left running. */
  close(): Promise<void>;
}

/** Starts the chat: the site and its socket at `/chat`. */
export async function startMultiChat(options: MultiChatOptions): Promise<MultiChat> {
  const dependencies = container.createChildContainer();
  const backend = await (options.backend ?? memoryBackend)(dependencies);
  try {
    return await startOn(backend, dependencies, options);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function startOn(backend: Backend, dependencies: DependencyContainer, options: MultiChatOptions): Promise<MultiChat> {
  const { auth, host = '127.0.0.1', port = 0, publicOrigin } = options;
  const { tokens, users, httpSessions } = backend;
  const logIns = auth === 'token' ? new TokenLogIns(tokens) : new SessionLogIns(httpSessions, users);
  const rooms = new Rooms();
  const chat = new ChannelServer(chatHandlers({ auth, rooms, log: backend.log }), { container: dependencies, publicOrigin });
  const site = new Site({ accounts: await demoAccounts(), logIns, publicOrigin });
  const server = createServer(site.handle);
  chat.handleUpgrades(server, { path: '/chat' });
  await backend.follow({ rooms, channels: chat.channels });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    channels: chat,
    async close(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve));
      await chat.close();
      server.closeAllConnections();
      await closed;
      await backend.close();
    },
  };
}
