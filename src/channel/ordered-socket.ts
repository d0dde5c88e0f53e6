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
const ownOf: unique symbol = Symbol('ws-with.own');

const { send, ping, pong, close, terminate } = WebSocket.prototype;
const ofWs = { send, ping, pong, close, terminate } as const;
type Name = keyof typeof ofWs;

interface OrderedSocket extends WebSocket {
  [aheadOf]?: Ahead;
  /** The methods that the application has put in place of those of ws. */
  [ownOf]?: { readonly [M in Name]?: WebSocket[M] };
}

/** Calls a method of `socket` as it was before its channel kept the order. */
function callFormer(socket: OrderedSocket, name: Name, given: unknown[]): void {
  Reflect.apply(socket[ownOf]?.[name] ?? ofWs[name], socket, given);
}

/** The methods of a socket through which something leaves, or after which nothing does. What its channel has sent goes before it. */
const ordered = {
  send(this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    this[aheadOf]?.sentBeside(isFinal(given[1]));
    callFormer(this, 'send', given);
  },
  ping: afterFlush('ping'),
  pong: afterFlush('pong'),
  close: afterFlush('close'),
  terminate: afterFlush('terminate'),
};

function afterFlush(name: Name) {
  return function (this: OrderedSocket, ...given: unknown[]): void {
    this[aheadOf]?.flush();
    callFormer(this, name, given);
  };
}

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
  const ours: OrderedSocket = socket;
  const own = (Object.keys(ofWs) as Name[]).filter((name) => socket[name] !== ofWs[name]);
  if (own.length > 0) ours[ownOf] = Object.fromEntries(own.map((name) => [name, socket[name]]));
  ours[aheadOf] = ahead;
  Object.assign(socket, ordered);
}

/** Sends what its channel sends: nothing is to be let out before it. `onSent` is told when ws has let go of it. */
export function sendAsBefore(socket: WebSocket, data: string | Uint8Array, onSent?: () => void): void {
  callFormer(socket, 'send', onSent === undefined ? [data] : [data, onSent]);
}
