import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { ChannelRegistry } from '../channel/channel-registry.js';
import type { Channels } from '../channel/channels.js';
import { Connecting } from '../channel/connecting.js';
import { keepShapes } from '../channel/kept-shapes.js';
import type { LiveChannel } from '../channel/live-channel.js';
import { Runtime } from '../channel/runtime.js';
import { slotsOf } from '../channel/slots.js';
import { isAttached } from '../channel/socket-events.js';
import type { Transport } from '../channel/transport.js';
import { checkId } from '../check-id.js';
import { checkedOptions, milliseconds } from '../checked-options.js';
import { withParams } from '../handshake.js';
import type { Identified } from '../identity/identify-request.js';
import { kindOf } from '../kind-of.js';
import { LiveWatch } from '../live/live-watch.js';
import { markCopy } from '../package-copy.js';
import { tagged } from '../tagged.js';
import { checkTokenId, type TokenId } from '../token-id.js';
import { AcceptedTransport } from './accepted-transport.js';
import type { ChannelHandlers, ClassHandlers } from './channel-handlers.js';
import { type ChannelServerOptions, checkedServerOptions } from './channel-server-options.js';
import type { UpgradeOptions } from './upgrade-options.js';
import { type UpgradeServer, Upgrades } from './upgrades.js';

/** Options of {@link ChannelServer.close}. */
export interface CloseOptions {
  /** How long channels may take to end, in milliseconds, at least 0; then they are dropped. @default 10,000 */
  readonly timeoutMs?: number | undefined;
}

/** Runs handlers for the sockets of any `ws` server, or for the upgrades of an HTTP server. */
export class ChannelServer<H extends object = object> {
  /**
   * Serves a socket of any `ws` server: `wss.on('connection', channels.accept)`. It is bound. Call it in the tick in which the connection
   * arrives: frames that arrive earlier are lost. A refusal is a close code.
   */
  readonly accept: (socket: WebSocket, request: IncomingMessage) => void;
  /**
   * Serves one upgrade from your own dispatcher: `(request, socket, head, options?) => void`. It is bound, and takes the options of
   * {@link handleUpgrades}; another path than `path` gets 404. Give the same options object each time, so that it is compiled once. An
   * argument or option that is not what it must be is a `TypeError`.
   */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, options?: UpgradeOptions) => void;
  readonly #runtime: Runtime;
  readonly #registry: ChannelRegistry<LiveWatch>;
  readonly #upgrades: Upgrades;
  /** What takes the listeners of `attach` away. */
  readonly #detachments: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  /**
   * @param handlers an object `{ connect?, receive?, disconnect? }`, an instance with such methods, or a class that the container
   * resolves.
   * @throws {TypeError} when handlers or options are not what they must be.
   * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` when a wrapper needs something that is neither given nor registered.
   */
  constructor(handlers: ChannelHandlers | (H & ClassHandlers<H>), options?: ChannelServerOptions) {
    const settings = checkedServerOptions(options);
    keepShapes();
    this.#runtime = new Runtime(slotsOf(handlers, settings.container), settings);
    const revocations = this.#runtime.findRevocationFeed(settings.revocations);
    const live = { ...settings, revocations };
    this.#registry = new ChannelRegistry(this.#runtime, (registry) => new LiveWatch(this.#runtime, registry, live));
    this.#upgrades = new Upgrades({ runtime: this.#runtime, registry: this.#registry });
    this.handleUpgrade = (request, socket, head, upgrades) => this.#upgrades.take(request, socket, head, upgrades);
    this.accept = (socket, request) => {
      this.#runtime.credentials.reportUnguarded();
      this.#accept(socket, request);
    };
  }

  /**
   * What its channels share; what the handlers of HTTP routes are built on.
   *
   * @internal
   */
  get runtime(): Runtime {
    return this.#runtime;
  }

  /** The channels of this process; read-only. */
  get channels(): Channels {
    return this.#registry;
  }

  /**
   * Serves every connection of `server`, and closes when it does.
   *
   * @throws {TypeError} when `server` is none, or a wrapper reads tokens from subprotocols and `server` would echo them (it has no
   * `handleProtocols`), or after {@link close}.
   */
  attach(server: WebSocketServer): void {
    if (typeof (server as Partial<WebSocketServer> | null)?.on !== 'function')
      throw new TypeError(`attach: server must be a WebSocketServer of ws, got ${kindOf(server)}`);
    if ((server as object) instanceof NetServer)
      throw new TypeError('attach: server must be a WebSocketServer of ws, got a server of Node: write handleUpgrades(server)');
    if (this.#runtime.credentials.readsSubprotocols && typeof server.options.handleProtocols !== 'function') {
      throw new TypeError(
        'attach: a wrapper reads tokens from subprotocols, which ws echoes: give the WebSocketServer the option handleProtocols',
      );
    }
    this.#mustBeOpen('attach');
    const onConnection = (socket: WebSocket, request: IncomingMessage): void => this.#accept(socket, request);
    const onClose = (): void => void this.close();
    server.on('connection', onConnection);
    server.on('close', onClose);
    this.#detachments.push(() => server.off('connection', onConnection).off('close', onClose));
  }

  /**
   * Serves the upgrades of an HTTP server. The connect handler runs before the handshake is answered, so a refusal is an HTTP status, and
   * what it sends goes out after the 101. An upgrade for another path is left to other `upgrade` listeners. It gets 404 if there are none,
   * or none has answered within 10 seconds.
   *
   * @throws {TypeError} when an option is not what it must be, or the server has such a route already, or after {@link close}.
   */
  handleUpgrades(server: UpgradeServer, options: UpgradeOptions = {}): void {
    this.#mustBeOpen('handleUpgrades');
    this.#upgrades.addRoute(server, options);
  }

  /**
   * Finds who sent `request`, for HTTP routes beside the channels, by the sources of the server's handlers, with its container, clock and
   * `connectTimeoutMs`. The server's origin rule applies to upgrades and to every method but GET, HEAD, OPTIONS and TRACE, since a page of
   * another site must not act with its visitor's cookies.
   *
   * @throws {TypeError} (as a rejection) when `request` is not a request, or no wrapper of the server identifies.
   * @throws {ChannelError} (as a rejection) `ERR_ORIGIN_REFUSED`; `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` when nobody can tell who it
   * is.
   */
  async identify(request: IncomingMessage | Http2ServerRequest): Promise<Identified> {
    return this.#runtime.identify(request);
  }

  /**
   * Ends the channels of a user with 3000 `user inactive`, connecting ones included, and publishes that if the revocation feed can. It does
   * not touch the user's credentials: to keep the user out, revoke them first.
   *
   * @returns how many channels were ended in this process.
   * @throws {TypeError} (as a rejection) when `id` is no string or empty.
   * @throws {ChannelError} (as a rejection) `ERR_REVOCATION_FEED_FAILED` when it could not be published: other processes do not know.
   */
  async disconnectUser(id: string): Promise<number> {
    checkId('disconnectUser', 'id', id);
    return this.#registry.watch.disconnect({ userId: id });
  }

  /**
   * {@link disconnectUser} for the channels of one token: 3000 `token revoked`.
   *
   * @returns how many channels were ended in this process.
   * @throws {TypeError} (as a rejection) when `id` is no id of a token.
   * @throws {ChannelError} (as a rejection) `ERR_REVOCATION_FEED_FAILED`.
   */
  async disconnectToken(id: TokenId): Promise<number> {
    checkTokenId('disconnectToken', 'id', id);
    return this.#registry.watch.disconnect({ tokenId: id });
  }

  /**
   * {@link disconnectUser} for the channels that a session of the web site identified: 3000 `session ended`.
   *
   * @returns how many channels were ended in this process.
   * @throws {TypeError} (as a rejection) when `id` is no string or empty.
   * @throws {ChannelError} (as a rejection) `ERR_REVOCATION_FEED_FAILED`.
   */
  async disconnectHttpSession(id: string): Promise<number> {
    checkId('disconnectHttpSession', 'id', id);
    return this.#registry.watch.disconnect({ httpSessionId: id });
  }

  /**
   * Refuses new channels, and those whose handshake is not answered, with 503. Ends each other channel with 1012 once what it has received
   * is handled and saved, or the time is up. Then it takes its listeners off your servers. Called again, it gives the same promise.
   *
   * @throws {TypeError} when an option is not what it must be.
   */
  close(options?: CloseOptions): Promise<void> {
    const { timeoutMs = 10_000 } = checkedOptions('close', options, { timeoutMs: milliseconds(0) });
    this.#upgrades.close();
    this.#closing ??= this.#shutDown(timeoutMs);
    return this.#closing;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Begins a channel on a transport of one's own; what `ws-with/testing` is built on.
   *
   * @internal
   */
  open(transport: Transport, request: IncomingMessage): LiveChannel {
    return Connecting.open(this.#runtime, this.#registry, transport, withParams(request));
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    if (typeof (socket as Partial<WebSocket> | null)?.send !== 'function' || request?.headers === undefined) {
      throw new TypeError('accept: must be given a socket of ws and the request of its handshake');
    }
    if (typeof (socket as Partial<WebSocket>).pause !== 'function') {
      throw new TypeError(
        'accept: must be given a socket of ws 8.21.1 or newer, got one that cannot pause: npm ls ws tells who has an older ws',
      );
    }
    if (isAttached(socket) || socket.readyState !== socket.OPEN) return; // served already, or gone already
    this.open(new AcceptedTransport(socket, request), request);
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    await this.#registry.shutDown(timeoutMs);
    await this.#registry.watch.stop();
    this.#upgrades.end();
    for (const detach of this.#detachments.splice(0)) detach();
  }

  #mustBeOpen(method: string): void {
    if (this.#closing !== undefined) throw new TypeError(`${method}: the ChannelServer is closed; make a new one`);
  }
}

tagged('ChannelServer', markCopy(ChannelServer.prototype));
