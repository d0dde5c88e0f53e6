import type { ServerOptions as WebSocketServerOptions } from 'ws';
import { aListOfStrings, anObject, anything, checkedOptions, oneOf, type Rules } from '../checked-options.js';

/** Options of `handleUpgrades`. */
export interface UpgradeOptions {
  /**
   * Take only upgrades to this path: one path (`/chat`), or a pattern in the syntax of a URLPattern's pathname (`/rooms/:id`, `/files/*`,
   * `/:lang(de|en)?/chat`), whose groups are `message.request.params`. The path is compared as it was sent, without the query.
   *
   * @default every path
   */
  readonly path?: string | undefined;
  /** The subprotocols that the server speaks: it agrees on the first offered that is one of them. @default the first offered, never a token */
  readonly protocols?: readonly string[] | undefined;
  /**
   * How a client is told that its handshake is refused. `'status'`: by an HTTP status. `'close'`: by a 101 and at once a close frame with code
   * and reason, since browsers show a page no status, only 1006.
   *
   * @default 'status'
   */
  readonly refusals?: 'close' | 'status' | undefined;
  /** Options of `ws` itself, e.g. `{ maxPayload, perMessageDeflate }`, except those that say where it listens. @default those of ws */
  readonly ws?: Omit<WebSocketServerOptions, 'host' | 'port' | 'backlog' | 'server' | 'noServer' | 'path'> | undefined;
}

/** Options of ws that say where it listens. */
const ofListening = ['host', 'port', 'backlog', 'server', 'noServer', 'path'] as const;

const rules: Rules<UpgradeOptions> = {
  path: anything, // compilePath looks at it
  protocols: aListOfStrings,
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
  const misplaced = ofListening.find((name) => name in (options.ws ?? {}));
  if (misplaced !== undefined) throw new TypeError(`${owner}: ws.${misplaced} says where to listen, which the HTTP server does`);
  return options;
}
