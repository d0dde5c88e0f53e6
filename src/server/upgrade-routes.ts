import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../contracts/clock.js';
import { nextTick } from '../event-loop.js';
import { foundOrMade } from '../found-or-made.js';
import { noParams, withParams } from '../handshake.js';
import type { HandshakeRequest } from '../messages.js';
import { ignoreError } from './ignore-error.js';
import type { PathPattern } from './path-pattern.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { serveAsRequest } from './serve-as-request.js';

/**
 * Whether the raw socket of an upgrade still waits for an answer. All `upgrade` listeners of an HTTP server are given the same socket, and
 * nobody says who answers: what counts is what has happened on it since the claim was made.
 */
export class SocketClaim {
  readonly socket: Duplex;
  readonly #request: IncomingMessage;
  readonly #written: number | undefined;

  /** @param socket has answered all earlier requests. */
  constructor(request: IncomingMessage, socket: Duplex) {
    this.socket = socket;
    this.#request = request;
    this.#written = this.#bytesWritten;
  }

  /** Somebody has ended it, or its peer is gone. */
  get isEnded(): boolean {
    return this.socket.destroyed || this.socket.writableEnded;
  }

  /** It is gone because its peer left, who ends its side first or resets the connection: whoever drops it in this process does neither. */
  get hasPeerLeft(): boolean {
    const { destroyed, errored, readableEnded } = this.socket;
    return destroyed && (errored !== null || readableEnded) && !this.isBegun;
  }

  /** Somebody has begun to answer. */
  get isBegun(): boolean {
    return this.#bytesWritten !== this.#written || responseOn(this.socket) !== undefined;
  }

  /** Nothing may be written to it any more. */
  get isAnswered(): boolean {
    return this.isEnded || this.isBegun;
  }

  get #bytesWritten(): number | undefined {
    // a stream that stands in for the socket counts nothing, and writes to the socket
    return bytesWrittenOn(this.socket) ?? bytesWrittenOn(this.#request.socket);
  }
}

function bytesWrittenOn(socket: Duplex | undefined): number | undefined {
  const written = (socket as Partial<Socket> | undefined)?.bytesWritten;
  return typeof written === 'number' ? written : undefined;
}

/** How long others may take to answer: an upgrade that is left to them, or a request before it on its connection. */
const unansweredMs = 10_000;

interface HttpSocket extends Duplex {
  _httpMessage?: EventEmitter | null;
}

/** The `ServerResponse` that was assigned to `socket`: Node keeps it there, and has no public sign of it. */
function responseOn({ _httpMessage: response }: HttpSocket): EventEmitter | undefined {
  return response ?? undefined;
}

/**
 * Calls `next` once the earlier requests on `socket` are answered, at once where all are: a client may send several before it has read an
 * answer, and answers go in the order of the requests (RFC 9112, section 9.3.2). Nobody reads the socket meanwhile, so that nobody sees the
 * client leave: it is dropped where an answer takes too long. If somebody begins to read it, it is theirs.
 */
export function afterEarlierResponses(socket: Duplex, clock: Clock, next: () => void): void {
  const response = responseOn(socket);
  if (response === undefined) {
    next();
    return;
  }
  const readers = readersOf(socket);
  const isTheirs = (): boolean => readersOf(socket) > readers;
  const cancel = clock.setTimer(() => {
    if (!isTheirs()) socket.destroy();
  }, unansweredMs);
  response.once('close', () => {
    cancel();
    if (!socket.destroyed && !socket.writableEnded && !isTheirs()) afterEarlierResponses(socket, clock, next);
  });
}

/** How many listen to what arrives on `socket`. */
export function readersOf(socket: Duplex): number {
  return socket.listenerCount('data') + socket.listenerCount('readable');
}

function listenersOf(socket: Duplex): number {
  return socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);
}

/** One `handleUpgrades` of an HTTP server. */
export interface UpgradeRoute {
  /** Only upgrades to these paths; `undefined`: to any. */
  readonly path: PathPattern | undefined;
  readonly clock: Clock;
  /** Whether its server shuts down: another route may take its place. */
  isClosing(): boolean;
  readonly endpoint: UpgradeTaker;
}

/** Who takes the upgrades of a route. */
export interface UpgradeTaker {
  /**
   * Takes an upgrade, unless somebody else has answered it already.
   *
   * @param isFresh whether its claim was made just now, so that nobody can have begun to answer since.
   */
  handle(request: HandshakeRequest, claim: SocketClaim, head: Buffer, isFresh: boolean): void;
}

/** The path of `request` as it was sent, without the query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

function isWebSocket(request: IncomingMessage): boolean {
  if (request.headers.upgrade === 'websocket') return true; // as all clients write it
  const protocols = request.headers.upgrade?.toLowerCase().split(',') ?? [];
  return protocols.some((protocol) => protocol.trim().split('/', 1)[0] === 'websocket');
}

function rankOf({ path }: UpgradeRoute): number {
  if (path === undefined) return 2;
  return path.isLiteral ? 0 : 1;
}

/** Who else may answer an upgrade. */
interface Rivals {
  /** The time that other listeners have; `undefined` where there are none. */
  readonly others: Clock | undefined;
  /** Whether it asks for no WebSocket, and so may be meant for the listeners of requests. */
  readonly mayBeRequest: boolean;
  /** How many read the socket when they were given it. */
  readonly readers: number;
}

/** The routes of one HTTP server: together they have one listener, so that each knows whether another takes an upgrade. */
class UpgradeRoutes {
  readonly #server: EventEmitter;
  readonly #routes: UpgradeRoute[] = [];
  /** That of the route which came last. */
  #clock: Clock;

  constructor(server: EventEmitter, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  add(route: UpgradeRoute): void {
    const index = this.#routes.findIndex(({ path }) => path?.text === route.path?.text);
    if (index >= 0 && this.#routes[index]?.isClosing() !== true) {
      throw new TypeError(`handleUpgrades: this server has a route for ${route.path?.text ?? 'every path'} already`);
    }
    this.#clock = route.clock;
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
    socket.on('error', ignoreError);
    if (responseOn(socket) === undefined) this.#claim(request, socket, head);
    else this.#claimLater(request, socket, head);
  };

  /** Apart from its caller, which would make what the closure needs for every upgrade. */
  #claimLater(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    afterEarlierResponses(socket, this.#clock, () => this.#claim(request, socket, head));
  }

  #claim(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const claim = new SocketClaim(request, socket);
    if (claim.isEnded) return; // the answer to an earlier request has done that
    const isAlone = this.#server.listenerCount('upgrade') === 1;
    const mayBeRequest = !isWebSocket(request) && this.#server.listenerCount('request') > 0;
    if (isAlone && !mayBeRequest)
      this.#dispatch(request, claim, head, undefined); // nobody else could answer
    else {
      const readers = readersOf(socket);
      this.#dispatchSoon(request, claim, head, { others: isAlone ? undefined : this.#clock, mayBeRequest, readers });
    }
  }

  /** Whoever answers at once has answered by then. */
  #dispatchSoon(request: IncomingMessage, claim: SocketClaim, head: Buffer, rivals: Rivals): void {
    const { socket } = claim;
    const listeners = rivals.mayBeRequest ? listenersOf(socket) : 0;
    nextTick(() => {
      if (!rivals.mayBeRequest) this.#dispatch(request, claim, head, rivals);
      else if (!isTaken(claim, rivals) && listenersOf(socket) === listeners) serveAsRequest(this.#server, request, socket, head);
      else leaveToOthers(claim, rivals); // who listens may still answer
    });
  }

  /**
   * One path before patterns, these in the order in which they were added, and every path last.
   *
   * @param rivals who else may have answered since the claim was made; `undefined` where nobody could.
   */
  #dispatch(request: IncomingMessage, claim: SocketClaim, head: Buffer, rivals: Rivals | undefined): void {
    let taker: UpgradeRoute | undefined;
    let params = noParams;
    for (const route of this.#routes) {
      const found = route.path === undefined ? noParams : route.path.match(pathOf(request));
      if (found === undefined || (taker !== undefined && rankOf(route) >= rankOf(taker))) continue;
      taker = route;
      params = found;
    }
    if (taker !== undefined) taker.endpoint.handle(withParams(request, params), claim, head, rivals === undefined);
    else if (rivals !== undefined) leaveToOthers(claim, rivals);
    else if (!claim.isEnded) refuseUpgrade(claim.socket, { status: 404 });
  }
}

/** It is answered, or somebody reads it and so has taken it over. */
function isTaken(claim: SocketClaim, { readers }: Rivals): boolean {
  return claim.isAnswered || readersOf(claim.socket) > readers;
}

/** Nobody may answer it: then it gets 404, rather than hang for ever. */
function leaveToOthers(claim: SocketClaim, rivals: Rivals): void {
  const { others } = rivals;
  if (others === undefined || isTaken(claim, rivals)) return;
  const { socket } = claim;
  const cancel = others.setTimer(() => {
    socket.off('close', cancel);
    if (!isTaken(claim, rivals)) refuseUpgrade(socket, { status: 404 });
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
  const routes = foundOrMade(routesOf, server, () => new UpgradeRoutes(server, route.clock));
  routes.add(route);
  return () => routes.delete(route);
}
