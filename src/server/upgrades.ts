import type { IncomingMessage, Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Reporter } from '../reporter.js';
import type { ServerSettings } from './channel-server-options.js';
import { guardedVerifyClient } from './guarded-verify-client.js';
import type { KnownCredentials } from './known-credentials.js';
import { agreeOnProtocol, checkUpgradeOptions, isOpeningHandshake, type UpgradeOptions, withoutToken } from './upgrade-options.js';
import { addUpgradeRoute } from './upgrade-routes.js';
import { UpgradeTransport } from './upgrade-transport.js';

/** What upgrades need of the server that serves them. */
export interface UpgradesOwner {
  readonly settings: ServerSettings;
  readonly reporter: Reporter;
  readonly credentials: KnownCredentials;
  /** Begins a channel. */
  serve(transport: UpgradeTransport, request: IncomingMessage): void;
}

/** The upgrades of HTTP servers that a channel server serves: from the routes to the first byte of an answer. */
export class Upgrades {
  readonly #owner: UpgradesOwner;

  constructor(owner: UpgradesOwner) {
    this.#owner = owner;
  }

  /**
   * Adds a route to an HTTP server.
   *
   * @throws {TypeError} when an option is not what it must be, or the server has such a route already.
   */
  addRoute(server: Server | TlsServer, options: UpgradeOptions): void {
    if (typeof (server as Partial<Server> | null)?.on !== 'function') throw new TypeError('handleUpgrades: server must be an HTTP server');
    checkUpgradeOptions(options);
    addUpgradeRoute(server, { path: options.path, handle: this.#handlerOf(options) });
  }

  #handlerOf(options: UpgradeOptions): (request: IncomingMessage, raw: Socket, head: Buffer) => void {
    const { settings, reporter, credentials } = this.#owner;
    const agreed = new WeakMap<IncomingMessage, string | false>();
    const verifyClient = options.ws?.verifyClient;
    const webSockets = new WebSocketServer({
      clientTracking: false,
      ...options.ws,
      ...(verifyClient !== undefined && { verifyClient: guardedVerifyClient(verifyClient, (error) => reporter.error(error)) }),
      noServer: true,
      handleProtocols: (_offers, request) => withoutToken(agreed.get(request) ?? false, credentials.sources),
    });
    return (request, raw, head) => {
      if (!isOpeningHandshake(request)) {
        webSockets.handleUpgrade(request, raw, head, (socket) => socket.terminate());
        return;
      }
      const transport = new UpgradeTransport(webSockets, request, raw, head, settings.maxQueuedBytes);
      try {
        const protocol = agreeOnProtocol(request, credentials.sources, options);
        if (protocol === undefined) transport.refuse(settings.outcomes.ERR_SUBPROTOCOL_REFUSED);
        else {
          agreed.set(request, protocol);
          this.#owner.serve(transport, request);
        }
      } catch (error) {
        reporter.error(error); // a handleProtocols of the application threw
        transport.refuse(settings.outcomes.ERR_HANDLER_FAILED);
      }
    };
  }
}
