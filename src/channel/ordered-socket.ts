import { Socket } from 'node:net';
import { WebSocket } from 'ws';

/** What a channel has sent and not let out yet. */
export interface Ahead {
  /** Lets it out. */
  flush(): void;
  /** The application sends something by itself; `isFinal` unless more fragments of it follow. */
  sentBeside(isFinal: boolean): void;
}

const aheadOf: unique symbol = Symbol('ws-with.ahead');

interface OrderedSocket extends WebSocket {
  [aheadOf]?: Ahead;
}

const { send, ping, pong, close, terminate } = WebSocket.prototype;

/** The methods of a socket through which something leaves, or after which nothing does. What its channel has sent goes before it. */
const ordered = {
  send(this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    this[aheadOf]?.sentBeside(isFinal(given[1]));
    Reflect.apply(send, this, given);
  },
  ping(this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    Reflect.apply(ping, this, given);
  },
  pong(this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    Reflect.apply(pong, this, given);
  },
  close(this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    Reflect.apply(close, this, given);
  },
  terminate(this: OrderedSocket): void {
    this[aheadOf]?.flush();
    Reflect.apply(terminate, this, []);
  },
};

function isFinal(options: unknown): boolean {
  return typeof options !== 'object' || options === null || !('fin' in options) || Boolean(options.fin);
}

/** Whether frames for `socket` may be written to `raw` beside ws, if it turns out that ws writes its own there as they are. */
export function isPlain(socket: WebSocket, raw: Socket): boolean {
  // a method of the application's own must see every frame
  return socket.extensions === '' && socket.send === send && raw instanceof Socket;
}

/** From now on `ahead` is let out before anything that the application or ws itself does with `socket`. */
export function keepOrder(socket: WebSocket, ahead: Ahead): void {
  (socket as OrderedSocket)[aheadOf] = ahead;
  Object.assign(socket, ordered);
}

/** Sends through ws what its channel sends: nothing is to be let out before it. */
export function sendThroughWs(socket: WebSocket, data: string | Uint8Array): void {
  Reflect.apply(send, socket, [data]);
}
