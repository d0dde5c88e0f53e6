import type { IncomingMessage, Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { refuseUpgrade } from './refuse-upgrade.js';

/** One `handleUpgrades` of an HTTP server. */
export interface UpgradeRoute {
  /** Only upgrades to this path; `undefined`: to any. */
  readonly path: string | undefined;
  handle(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** The routes of each HTTP server: together they have one listener, so that each knows whether another takes an upgrade. */
const routesOf = new WeakMap<object, UpgradeRoute[]>();

/** Without a listener, a reset during the upgrade would end the process. */
function ignoreError(): void {}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/**
 * Adds `route` to `server`. An upgrade that no route takes is left to other `upgrade` listeners; where there are none it gets 404.
 *
 * @throws {TypeError} when a route with the same path is there already.
 */
export function addUpgradeRoute(server: Server | TlsServer, route: UpgradeRoute): void {
  const routes = routesOf.get(server);
  if (routes !== undefined) {
    if (routes.some(({ path }) => path === route.path)) {
      throw new TypeError(`handleUpgrades: this server has a route for ${route.path === undefined ? 'every path' : route.path} already`);
    }
    routes.push(route);
    return;
  }
  const all = [route];
  routesOf.set(server, all);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = pathOf(request);
    const taker = all.find((candidate) => candidate.path === path) ?? all.find((candidate) => candidate.path === undefined);
    if (taker !== undefined) {
      socket.on('error', ignoreError);
      taker.handle(request, socket as Socket, head);
    } else if (server.listenerCount('upgrade') === 1) {
      socket.on('error', ignoreError);
      refuseUpgrade(socket, 404);
    }
  });
}
