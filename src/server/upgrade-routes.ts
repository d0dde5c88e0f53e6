import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../contracts/clock.js';
import { noParams, withParams } from '../handshake.js';
import type { HandshakeRequest, PathParams } from '../messages.js';
import type { PathPattern } from './path-pattern.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { serveAsRequest } from './serve-as-request.js';
import { SocketClaim } from './socket-claim.js';

/** One `handleUpgrades` of an HTTP server. */
export interface UpgradeRoute {
  /** Only upgrades to these paths; `undefined`: to any. */
  readonly path: PathPattern | undefined;
  readonly clock: Clock;
  /** Whether its server shuts down: another route may take its place. */
  isClosing(): boolean;
  /** Takes an upgrade, unless somebody else has answered it already. */
  handle(request: HandshakeRequest, claim: SocketClaim, head: Buffer): void;
}

/** How long other listeners may take to answer an upgrade that is left to them. */
const unansweredMs = 10_000;

/** Without a listener, a reset during the upgrade would end the process. */
export function ignoreError(): void {}

/** The path of `request` as it was sent, without the query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

function isWebSocket(request: IncomingMessage): boolean {
  const protocols = request.headers.upgrade?.toLowerCase().split(',') ?? [];
  return protocols.some((protocol) => protocol.trim().split('/', 1)[0] === 'websocket');
}

function rankOf({ path }: UpgradeRoute): number {
  if (path === undefined) return 2;
  return path.isLiteral ? 0 : 1;
}

/** The routes of one HTTP server: together they have one listener, so that each knows whether another takes an upgrade. */
class UpgradeRoutes {
  readonly #server: EventEmitter;
  readonly #routes: UpgradeRoute[] = [];

  constructor(server: EventEmitter) {
    this.#server = server;
  }

  add(route: UpgradeRoute): void {
    const index = this.#routes.findIndex(({ path }) => path?.text === route.path?.text);
    if (index >= 0 && this.#routes[index]?.isClosing() !== true) {
      throw new TypeError(`handleUpgrades: this server has a route for ${route.path?.text ?? 'every path'} already`);
    }
    if (index >= 0) this.#routes[index] = route;
    else this.#routes.push(route);
    // first of all listeners, since the claim must be made before anybody can answer
    if (this.#routes.length === 1 && index < 0) this.#server.prependListener('upgrade', this.#onUpgrade);
  }

  delete(route: UpgradeRoute): void {
    const index = this.#routes.indexOf(route);
    if (index >= 0) this.#routes.splice(index, 1);
    if (this.#routes.length === 0) this.#server.off('upgrade', this.#onUpgrade);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.off('error', ignoreError); // a connection that was served as a request may come again
    socket.on('error', ignoreError);
    const claim = new SocketClaim(request, socket);
    const isAlone = this.#server.listenerCount('upgrade') === 1;
    const clock = this.#routes[0]?.clock;
    // whoever answers at once has answered by then
    process.nextTick(() => this.#dispatch(request, claim, head, isAlone ? undefined : clock));
  };

  /** One path before patterns, these in the order in which they were added, and every path last. */
  #takerOf(path: string): { readonly route: UpgradeRoute; readonly params: PathParams } | undefined {
    let taker: { readonly route: UpgradeRoute; readonly params: PathParams } | undefined;
    for (const route of this.#routes) {
      const params = route.path === undefined ? noParams : route.path.match(path);
      if (params === undefined) continue;
      if (taker === undefined || rankOf(route) < rankOf(taker.route)) taker = { route, params };
    }
    return taker;
  }

  /** @param others the time that other listeners have; `undefined` where there are none. */
  #dispatch(request: IncomingMessage, claim: SocketClaim, head: Buffer, others: Clock | undefined): void {
    if (!isWebSocket(request) && this.#server.listenerCount('request') > 0) {
      if (!claim.isTouched) serveAsRequest(this.#server, request, claim.socket, head);
      else if (others !== undefined) leaveToOthers(claim, others);
      return;
    }
    const taker = this.#takerOf(pathOf(request));
    if (taker !== undefined) taker.route.handle(withParams(request, taker.params), claim, head);
    else if (others !== undefined) leaveToOthers(claim, others);
    else if (!claim.isTaken) refuseUpgrade(claim.socket, 404);
  }
}

/** Nobody may answer it: then it gets 404, rather than hang for ever. */
function leaveToOthers(claim: SocketClaim, clock: Clock): void {
  if (claim.isTaken) return;
  const { socket } = claim;
  const cancel = clock.setTimer(() => {
    socket.off('close', cancel);
    if (!claim.isTaken) refuseUpgrade(socket, 404);
  }, unansweredMs);
  socket.once('close', cancel);
}

const routesOf = new WeakMap<object, UpgradeRoutes>();

/**
 * Adds `route` to `server`. An upgrade that no route takes is left to other `upgrade` listeners; where there are none, or none of them
 * answers in time, it gets 404.
 *
 * @returns takes it away again, with the listener where it was the last.
 * @throws {TypeError} when a route with the same path is there already.
 */
export function addUpgradeRoute(server: EventEmitter, route: UpgradeRoute): () => void {
  const routes = routesOf.get(server) ?? new UpgradeRoutes(server);
  routesOf.set(server, routes);
  routes.add(route);
  return () => routes.delete(route);
}
