import { createServer, type RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import {
  authorization,
  ChannelServer,
  type ChannelServerOptions,
  type CredentialSource,
  cookie,
  type ExchangeHandler,
  fromHttpSession,
  fromToken,
  ticket,
  withUserFrom,
} from '../../../entries/index.js';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { listen } from '../../support/http-server.js';
import { makeSite, type Site } from '../../support/site.js';

/** A site that takes tokens and sessions, and its server of channels. */
export interface ExchangeSite extends Site {
  readonly tickets: MemoryTicketStore;
  readonly channels: ChannelServer;
  /** The cookie of a new session of `userId`. */
  logIn(userId: string): string;
}

/** @param at the cookie in which tokens travel. */
export function makeExchangeSite(at: CredentialSource = cookie('key'), options: ChannelServerOptions = {}): ExchangeSite {
  const site = makeSite();
  const { tokens, users, sessions } = site;
  const tickets = new MemoryTicketStore({ clock: site.clock });
  const connect = withUserFrom(
    fromToken({ tokens, tickets, users, sessions, from: [at, authorization(), ticket()] }),
    fromHttpSession({ sessions, users }),
  )(() => undefined);
  const channels = new ChannelServer({ connect, receive: () => undefined }, { ...site.options, ...options });
  return opened(site, channels, tickets);
}

function opened(site: Site, channels: ChannelServer, tickets = new MemoryTicketStore({ clock: site.clock })): ExchangeSite {
  const made: ExchangeSite = { ...site, tickets, channels, logIn: (userId) => `sessionid=${site.sessions.create(userId)}` };
  onTestFinished(async () => {
    const closed = channels.close({ timeoutMs: 0 });
    await site.clock.advance(0);
    await closed;
  });
  return made;
}

/** The same, where tokens travel in several cookies, of which the first that holds one counts. */
export function makeSiteOfCookies(...names: readonly string[]): ExchangeSite {
  return makeSiteOfPlaces(...names.map((name) => cookie(name)));
}

/** The same, of any places. */
export function makeSiteOfPlaces(...from: readonly CredentialSource[]): ExchangeSite {
  const site = makeSite();
  const { tokens, users, sessions } = site;
  const connect = withUserFrom(fromToken({ tokens, from }), fromHttpSession({ sessions, users }))(() => undefined);
  return opened(site, new ChannelServer({ connect }, site.options));
}

/** What a request says, and what not. */
export interface AskOptions {
  readonly method?: string;
  readonly cookie?: string;
  /** @default that of the server's own pages; `null` for none */
  readonly origin?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** A stream goes out in chunks, and nothing tells its length. */
  readonly body?: string | ReadableStream<Uint8Array>;
}

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; `undefined` where there is none. */
  readonly json: unknown;
  /** The cookies that it sets: name and value, and all attributes in lower case. */
  readonly cookies: readonly { readonly name: string; readonly value: string; readonly attributes: Readonly<Record<string, string>> }[];
}

/** Serves `listener` over real HTTP; gives a way to ask it. */
export async function serveOverHttp(listener: RequestListener | ExchangeHandler): Promise<{
  readonly port: number;
  ask(options?: AskOptions): Promise<Answer>;
}> {
  const { port } = await listen(createServer(listener as RequestListener));
  const ask = async ({ method = 'POST', cookie: cookies, origin, headers, path = '/', body }: AskOptions = {}): Promise<Answer> => {
    const url = `http://127.0.0.1:${port}`;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(cookies !== undefined && { cookie: cookies }),
        ...(origin !== null && { origin: origin ?? url }),
        connection: 'close',
        ...headers,
      },
      ...(body !== undefined && { body, duplex: 'half' }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: text === '' ? undefined : JSON.parse(text),
      cookies: response.headers.getSetCookie().map(parsed),
    };
  };
  return { port, ask };
}

function parsed(line: string): Answer['cookies'][number] {
  const [pair = '', ...others] = line.split('; ');
  const attributes = Object.fromEntries(others.map((each) => [each.split('=')[0]?.toLowerCase(), each.split('=').slice(1).join('=')]));
  return { name: pair.slice(0, pair.indexOf('=')), value: decodeURIComponent(pair.slice(pair.indexOf('=') + 1)), attributes };
}
