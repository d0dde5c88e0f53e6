import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChannelServer, type ChannelServerOptions, container, HTTP_SESSION_READER } from 'ws-with';
import { ExpressSessionReader } from 'ws-with/express';
import { memoryBackend, type OpenBackend } from './backend.js';
import { Chat } from './chat.js';
import type { NoticeOptions } from './events.js';
import { type Auth, chatHandlers } from './handlers.js';
import { sessionLogIns, sessionMiddleware } from './session-log-ins.js';
import { site } from './site.js';
import { tokenLogIns } from './token-log-ins.js';

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
  /** When the log says who comes and goes. @default in rooms of up to 20 people, after 10 s */
  readonly notices?: NoticeOptions | undefined;
  /**
   * How soon a database that is out of reach is noticed where nobody writes, and how long pages stay connected while it is.
   *
   * @default 5 s, and 10 s
   */
  readonly live?: Pick<ChannelServerOptions, 'revalidate' | 'maxStaleMs'> | undefined;
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
  const { auth, host = '127.0.0.1', port = 0, publicOrigin, backend: open = memoryBackend } = options;
  const { notices = { upTo: 20, graceMs: 10_000 }, live = { revalidate: { everyMs: 5_000 }, maxStaleMs: 10_000 } } = options;
  const dependencies = container.createChildContainer();
  const backend = await open(dependencies);
  const cookie = { httpOnly: true, sameSite: 'lax', secure: publicOrigin?.startsWith('https:') ?? false } as const;
  const sessions = sessionMiddleware(backend.sessions, cookie);
  dependencies.registerInstance(HTTP_SESSION_READER, new ExpressSessionReader(sessions, { store: backend.sessions.store }));
  const chat = new Chat(backend, () => {
    for (const channel of channels.channels) channel.sendJson({ event: 'gap' });
  });
  const channels = new ChannelServer(chatHandlers(auth, chat, notices), { container: dependencies, publicOrigin, ...live });
  const logIns =
    auth === 'token' ? tokenLogIns(backend.tokens, channels, cookie) : sessionLogIns(backend.sessions, sessions, channels, cookie);
  const server = createServer(site({ channels, logIns, publicOrigin }));
  // a browser does not tell a page with which status a handshake was refused, but why a socket was closed
  channels.handleUpgrades(server, { path: '/chat', refusals: 'close' });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    await channels.close();
    await chat.groups.close();
    server.closeAllConnections();
    await closed;
    await backend.close();
  };
  try {
    await chat.groups.ready;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    await close();
    throw error;
  }
  const { address, family, port: bound } = server.address() as AddressInfo;
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`, channels, close };
}
