import type { Server } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Server as TlsServer } from 'node:https';
import { UpgradeEndpoint, type UpgradesOwner } from './upgrade-endpoint.js';
import { checkedUpgradeOptions, type UpgradeOptions } from './upgrade-options.js';
import { addUpgradeRoute } from './upgrade-routes.js';

/** A server whose upgrades can be served: of `node:http`, of `node:https`, or of `node:http2` with `allowHTTP1`. */
export type UpgradeServer = Server | TlsServer | Http2SecureServer;

/** The upgrades that a channel server serves. */
export class Upgrades {
  readonly #owner: UpgradesOwner;
  readonly #removals: (() => void)[] = [];
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
    if (typeof (server as Partial<Server> | null)?.prependListener !== 'function')
      throw new TypeError('handleUpgrades: server must be an HTTP server');
    const options = checkedUpgradeOptions(given);
    const endpoint = new UpgradeEndpoint(this.#owner, options);
    const remove = addUpgradeRoute(server, {
      path: options.path,
      clock: this.#owner.settings.clock,
      isClosing: () => this.#isClosing,
      handle: (request, claim, head) => endpoint.handle(request, claim, head),
    });
    this.#removals.push(remove);
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
