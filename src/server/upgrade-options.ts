import type { ServerOptions as WebSocketServerOptions } from 'ws';
import { anObject, checkedOptions, isListOf, oneOf, type Rules } from '../checked-options.js';

/** Options of `handleUpgrades`. */
export interface UpgradeOptions {
  /**
   * Take only upgrades to this path, compared as it was sent and without the query: one path (`/chat`), or a pattern in the syntax of a
   * URLPattern's pathname (`/rooms/:id`, `/files/*`, `/:lang(de|en)?/chat`), whose groups are `message.request.params`. @default every path
   */
  readonly path?: string | undefined;
  /** The subprotocols that the server speaks; the first that the client offers of them is agreed on. @default the first offered */
  readonly protocols?: readonly string[] | undefined;
  /**
   * How a client is told that its handshake is refused: by an HTTP status, or by a 101 and at once a close frame with code and reason, since
   * browsers show a page no status, only 1006. @default 'status'
   */
  readonly refusals?: 'close' | 'status' | undefined;
  /** Options of `ws` itself, e.g. `{ maxPayload, perMessageDeflate }`, but for those that say where it listens. @default those of ws */
  readonly ws?: Omit<WebSocketServerOptions, 'host' | 'port' | 'backlog' | 'server' | 'noServer' | 'path'> | undefined;
}

const placed = ['host', 'port', 'backlog', 'server', 'noServer', 'path'] as const;

const rules: Rules<UpgradeOptions> = {
  path: { must: 'a string that begins with /', accepts: (value) => typeof value === 'string' },
  protocols: { must: 'a list of strings', accepts: (value) => isListOf(value, (name) => typeof name === 'string') },
  refusals: oneOf(['close', 'status']),
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
