import type { IncomingMessage, Server } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Server as TlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { nextTick } from '../event-loop.js';
import { foundOrMade } from '../found-or-made.js';
import { noParams, withParams } from '../handshake.js';
import { kindOf } from '../kind-of.js';
import { ignoreError } from './ignore-error.js';
import { compilePath, type PathPattern } from './path-pattern.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { UpgradeEndpoint, type UpgradesOwner } from './upgrade-endpoint.js';
import { checkedUpgradeOptions, type UpgradeOptions } from './upgrade-options.js';
import { addUpgradeRoute, afterEarlierResponses, pathOf, SocketClaim } from './upgrade-routes.js';

/** A server whose upgrades can be served: of `node:http`, of `node:https`, or of `node:http2` with `allowHTTP1`. */
export type UpgradeServer = Server | TlsServer | Http2SecureServer;

interface Endpoint {
  readonly path: PathPattern | undefined;
  readonly endpoint: UpgradeEndpoint;
}

const noOptions: UpgradeOptions = Object.freeze({});

/** Whether it is one of `ws`, which has no upgrades to be served. */
function isWebSocketServer(server: object): boolean {
  return !(server instanceof NetServer) && typeof (server as { readonly handleUpgrade?: unknown }).handleUpgrade === 'function';
}

/** Whether it is the application of a framework (a function: Express, Connect; a `callback`: Koa), which emits no upgrades. */
function isApplication(server: object | null): boolean {
  if (typeof server === 'function') return true;
  return !(server instanceof NetServer) && typeof (server as { readonly callback?: unknown } | null)?.callback === 'function';
}

/** The upgrades that a channel server serves. */
export class Upgrades {
  readonly #owner: UpgradesOwner;
  readonly #removals: (() => void)[] = [];
  /** Of `take`, by the options as they are given: one object for all upgrades is compiled once. */
  readonly #endpoints = new WeakMap<UpgradeOptions, Endpoint>();
  #isClosing = false;

  constructor(owner: UpgradesOwner) {
    this.#owner = owner;
  }

  /**
   * Adds a route to an HTTP server.
   *
   * @throws {TypeError} when an option is not what it must be, or the server has such a route already.
   */
  addRoute(server: UpgradeServer, given: UpgradeOptions): void {
    if (isApplication(server))
      throw new TypeError(
        `handleUpgrades: server must be an HTTP server, got ${typeof server === 'function' ? 'a function' : 'an application'}: ` +
          'write handleUpgrades(app.listen(port))',
      );
    if (typeof (server as Partial<Server> | null)?.prependListener !== 'function')
      throw new TypeError(`handleUpgrades: server must be an HTTP server, got ${kindOf(server)}`);
    if (isWebSocketServer(server))
      throw new TypeError('handleUpgrades: server must be an HTTP server, got a WebSocketServer: write attach(server)');
    const { path, endpoint } = this.#make('handleUpgrades', given);
    const remove = addUpgradeRoute(server, {
      path,
      clock: this.#owner.runtime.clock,
      isClosing: () => this.#isClosing,
      endpoint,
    });
    this.#removals.push(remove);
  }

  /**
   * Takes one upgrade that the application's own dispatcher hands over.
   *
   * @throws {TypeError} when an option or argument is not what it must be.
   */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, options: UpgradeOptions = noOptions): void {
    if (request?.headers === undefined || typeof (socket as Partial<Duplex> | null)?.write !== 'function' || !Buffer.isBuffer(head)) {
      throw new TypeError('handleUpgrade: must be given the request, socket and head of an upgrade event');
    }
    const { path, endpoint } = foundOrMade(this.#endpoints, options, () => this.#make('handleUpgrade', options));
    socket.off('error', ignoreError);
    socket.on('error', ignoreError);
    afterEarlierResponses(socket, this.#owner.runtime.clock, () => {
      const claim = new SocketClaim(request, socket);
      if (claim.isEnded) return; // its client has, or the answer to an earlier request
      const params = path === undefined ? noParams : path.match(pathOf(request));
      // whoever answers at once has answered by then
      nextTick(() => {
        if (params !== undefined) endpoint.handle(withParams(request, path && params), claim, head, false);
        else if (!claim.isAnswered) refuseUpgrade(socket, { status: 404 });
      });
    });
  }

  #make(method: string, given: UpgradeOptions): Endpoint {
    const options = checkedUpgradeOptions(method, given);
    const path = options.path === undefined ? undefined : compilePath(`${method}: path`, options.path);
    return { path, endpoint: new UpgradeEndpoint(this.#owner, options) };
  }

  /** Its routes may be taken over. */
  close(): void {
    this.#isClosing = true;
  }

  /** Takes every route away. */
  end(): void {
    for (const remove of this.#removals.splice(0)) remove();
  }
}
