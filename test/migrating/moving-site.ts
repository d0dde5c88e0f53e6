import { createServer } from 'node:http';
import MongoStore from 'connect-mongo';
import express from 'express';
import type session from 'express-session';
import type { Db } from 'mongodb';
import { ExpressSessionReader } from '../../entries/express.js';
import {
  type ChannelEvent,
  type ChannelHandlers,
  ChannelServer,
  type ChannelServerOptions,
  type ConnectMessage,
  type ExchangeHandler,
  type HasAuthenticatedUser,
  type ReceiveMessage,
} from '../../entries/index.js';
import { MongoTokenRepository, MongoUserRepository } from '../../entries/mongodb.js';
import { sessionMiddleware } from '../adapters/express/express-site.js';
import { listen } from '../support/http-server.js';

declare module 'express-session' {
  interface SessionData {
    userId?: string;
  }
}

/** All the time that a busy machine may need. */
const timeoutMs = 20_000;

/** Tells whom the server takes the client for, and by what. */
export function greet({ channel, user, authentication }: ConnectMessage & HasAuthenticatedUser): void {
  channel.sendJson({ hello: user.id, by: authentication?.source });
}

/** Sends back what it is sent. */
export function echo({ channel, text }: ReceiveMessage): void {
  channel.send(text);
}

/** How a process of the site is deployed. */
export interface Deployment {
  readonly handlers: ChannelHandlers;
  /** What answers a `POST` to these paths. */
  readonly routes?: (channels: ChannelServer) => Readonly<Record<string, ExchangeHandler>>;
  readonly options?: ChannelServerOptions;
}

/** A process of the site. */
export interface Process {
  readonly port: number;
  readonly channels: ChannelServer;
  readonly events: readonly ChannelEvent[];
  readonly errors: readonly unknown[];
  readonly warnings: readonly string[];
  /** As on SIGTERM: takes no new connection, and closes its channels with 1012. */
  close(): Promise<void>;
}

/** A web site on Express, express-session and connect-mongo; its processes share this. */
export class MovingSite {
  readonly users: MongoUserRepository;
  readonly tokens: MongoTokenRepository;
  readonly sessions: ExpressSessionReader;
  readonly #sessionParser: ReturnType<typeof session>;
  readonly #users: ReturnType<Db['collection']>;

  constructor(db: Db) {
    this.#users = db.collection('users');
    this.users = new MongoUserRepository(db, { timeoutMs });
    this.tokens = new MongoTokenRepository(db, { timeoutMs });
    const store = MongoStore.create({ client: db.client as never, dbName: db.databaseName, collectionName: 'sessions' });
    this.#sessionParser = sessionMiddleware({ store });
    this.sessions = new ExpressSessionReader(this.#sessionParser, { store, timeoutMs });
  }

  async addUsers(names: readonly string[]): Promise<void> {
    await this.#users.insertMany(names.map((_id) => ({ _id: _id as never })));
  }

  async disableUser(name: string): Promise<void> {
    await this.#users.updateOne({ _id: name as never }, { $set: { isActive: false } });
  }

  /** Starts a process, which serves the site and its channels on a port of its own. */
  async deploy({ handlers, routes, options }: Deployment): Promise<Process> {
    const events: ChannelEvent[] = [];
    const errors: unknown[] = [];
    const warnings: string[] = [];
    const channels = new ChannelServer(handlers, {
      connectTimeoutMs: 3 * timeoutMs,
      onEvent: (event) => void events.push(event),
      onError: (error) => void errors.push(error),
      onWarning: ({ code }) => void warnings.push(code),
      ...options,
    });
    const { server, port } = await listen(createServer(this.#application(routes?.(channels) ?? {})));
    channels.handleUpgrades(server);
    const close = async (): Promise<void> => {
      server.close();
      await channels.close();
      server.closeAllConnections();
    };
    return { port, channels, events, errors, warnings, close };
  }

  #application(routes: Readonly<Record<string, ExchangeHandler>>): ReturnType<typeof express> {
    const application = express();
    application.use(this.#sessionParser);
    application.post('/log-in/:name', (request, response) => {
      request.session.userId = request.params.name;
      response.sendStatus(204);
    });
    // the session goes first: what comes after it answers
    application.post('/log-out', (request, _response, next) => request.session.destroy(next));
    for (const [path, route] of Object.entries(routes)) application.post(path, route);
    application.post('/log-out', (_request, response) => void response.sendStatus(204));
    return application;
  }
}

/** What a browser keeps of a site: its cookies. Every port of 127.0.0.1 is the same site to it. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  constructor(cookies: Readonly<Record<string, string>> = {}) {
    for (const [name, value] of Object.entries(cookies)) this.#cookies.set(name, value);
  }

  /** The header `Cookie`. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  has(name: string): boolean {
    return this.#cookies.has(name);
  }

  forget(name: string): void {
    this.#cookies.delete(name);
  }

  /** Sends a `POST` as a page of the site does; resolves to the status. */
  async post({ port }: Pick<Process, 'port'>, path: string): Promise<number> {
    const origin = `http://127.0.0.1:${port}`;
    const headers = { origin, connection: 'close', ...(this.#cookies.size > 0 && { cookie: this.cookie }) };
    const response = await fetch(`${origin}${path}`, { method: 'POST', headers });
    await response.arrayBuffer();
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0\b/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response.status;
  }
}
