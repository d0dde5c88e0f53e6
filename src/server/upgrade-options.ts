import type { IncomingMessage } from 'node:http';
import type { ServerOptions as WebSocketServerOptions } from 'ws';
import { anObject, checkedOptions, type Rules } from '../checked-options.js';
import { type CredentialSource, httpToken, offeredSubprotocols } from '../identity/credentials.js';

/** Options of `handleUpgrades`. */
export interface UpgradeOptions {
  /**
   * Take only upgrades to this path, compared as it was sent and without the query: one path (`/chat`), or a pattern in the syntax of a
   * URLPattern's pathname (`/rooms/:id`, `/files/*`, `/:lang(de|en)?/chat`), whose groups are `message.request.params`. @default every path
   */
  readonly path?: string | undefined;
  /** The subprotocols that the server speaks; the first that the client offers of them is agreed on. @default the first offered */
  readonly protocols?: readonly string[] | undefined;
  /** Options of `ws` itself, e.g. `{ maxPayload, perMessageDeflate }`, but for those that say where it listens. @default those of ws */
  readonly ws?: Omit<WebSocketServerOptions, 'host' | 'port' | 'backlog' | 'server' | 'noServer' | 'path'> | undefined;
}

const placed = ['host', 'port', 'backlog', 'server', 'noServer', 'path'] as const;

const rules: Rules<UpgradeOptions> = {
  path: { must: 'a string that begins with /', accepts: (value) => typeof value === 'string' },
  protocols: { must: 'a list of strings', accepts: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string') },
  ws: anObject,
};

/**
 * A checked copy of options of `handleUpgrades` or `handleUpgrade`, which is `owner`.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedUpgradeOptions(owner: string, given: UpgradeOptions | undefined): Readonly<UpgradeOptions> {
  const options = checkedOptions(owner, given, rules);
  const misplaced = placed.find((name) => name in (options.ws ?? {}));
  if (misplaced !== undefined) throw new TypeError(`${owner}: ws.${misplaced} says where to listen, which the HTTP server does`);
  return options;
}

/** `protocol`, unless it is a token: `false` then, and nothing is echoed. */
export function withoutToken(protocol: string | false, credentials: readonly CredentialSource[]): string | false {
  const isToken = protocol !== false && credentials.some(({ carrier, name }) => carrier === 'subprotocol' && protocol.startsWith(name));
  return isToken ? false : protocol;
}

/**
 * The agreed subprotocol, never a token; `false` where there is none, `undefined` where tokens are all that was offered: a client that gets
 * none of its offers must fail the connection (RFC 6455, section 4.1), and a token must not be echoed.
 */
export function agreeOnProtocol(
  request: IncomingMessage,
  credentials: readonly CredentialSource[],
  options: UpgradeOptions,
): string | false | undefined {
  const all = offeredSubprotocols(request);
  const offers = all.filter((offer) => withoutToken(offer, credentials) !== false);
  if (offers.length === 0) return all.length === 0 ? false : undefined;
  const { protocols, ws } = options;
  if (protocols !== undefined) return offers.find((offer) => protocols.includes(offer)) ?? false;
  if (ws?.handleProtocols === undefined) return offers[0] ?? false;
  const chosen = ws.handleProtocols(new Set(offers), request);
  return chosen !== false && offers.includes(chosen) ? chosen : false;
}

const keyPattern = /^[+/0-9A-Za-z]{22}==$/;

/**
 * Whether `request` is an opening handshake at all (RFC 6455, section 4.2.1), judged as ws does: what is none must not reach a connect
 * handler, and ws answers it.
 */
export function isOpeningHandshake(request: IncomingMessage): boolean {
  const { headers, method } = request;
  const version = Number(headers['sec-websocket-version']);
  const offers = headers['sec-websocket-protocol']?.split(',').map((offer) => offer.trim()) ?? []; // an empty one is malformed
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    keyPattern.test(headers['sec-websocket-key'] ?? '') &&
    (version === 13 || version === 8) &&
    offers.every((offer) => httpToken.test(offer)) &&
    new Set(offers).size === offers.length
  );
}
