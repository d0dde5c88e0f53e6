import type { CloseAction, Closing } from './close-contract.js';
import type { ClientSocketConstructor } from './socket.js';

/** The time as a client sees it; the `TestClock` of `ws-with/testing` is one. */
export interface ClientClock {
  /** Milliseconds from some fixed point; never goes back. */
  monotonic(): number;
  /** Calls `fn` once, `ms` milliseconds from now; returns what cancels that. */
  setTimer(fn: () => void, ms: number): () => void;
}

/**
 * Options of `connectChannel`.
 *
 * What `renew`, `ticket` and `protocols` throw decides what happens. For a `Response` of `fetch` with 401 the client calls `renew`; if it
 * has done so, somebody must log in. Any other `Response` from 300 to 499, except 408, 425 and 429, stops the client. On anything else it
 * tries again, after its `Retry-After` if it has one. Their `signal` is aborted when the client does not wait for them any more.
 */
export interface ClientOptions {
  /**
   * Called with each message: a string for a text frame, an `ArrayBuffer` for a binary one. Answers to requests and pings are left out.
   *
   * @default none
   */
  readonly onMessage?: ((data: string | ArrayBuffer) => void) | undefined;
  /**
   * Decides what to do when the connection is over, e.g. with one of the application's codes.
   *
   * @default what {@link actionOn} says, also if it returns `undefined`
   */
  readonly onClose?: ((closing: Closing) => CloseAction | undefined) | undefined;
  /**
   * Gets a new credential when the server says that the old one has ended, and when handshakes fail without a reason, as refused ones do in
   * a page. It may return the `Response` of a `fetch`, e.g. to `issueTokenHandler`; one that is not `ok` counts as thrown.
   *
   * @default none: the client stops, and somebody must log in
   */
  readonly renew?: ((closing: Closing, signal: AbortSignal) => unknown) | undefined;
  /** Gets a ticket before each attempt, which travels in the query as `ticket`. @default none */
  readonly ticket?: ((signal: AbortSignal) => string | Promise<string>) | undefined;
  /** Subprotocols to offer, or what gets them before each attempt. @default none */
  readonly protocols?:
    | string
    | readonly string[]
    | ((signal: AbortSignal) => string | readonly string[] | Promise<string | readonly string[]>)
    | undefined;
  /**
   * How long nothing may arrive, in milliseconds, before the client sends `{"ping":true,"requestId":…}`, which `withRequestId` answers on
   * the server. 0 to 2,147,483,647; 0 means never.
   *
   * @default 25,000
   */
  readonly pingMs?: number | undefined;
  /**
   * How long after a ping, in milliseconds, something must arrive; otherwise the line counts as dead. 0 to 2,147,483,647.
   *
   * @default 5,000
   */
  readonly pongMs?: number | undefined;
  /**
   * The bound of the first pause before a new attempt, in milliseconds. It doubles with each further attempt; the client waits a random
   * part of it. 0 to 2,147,483,647.
   *
   * @default 1,000
   */
  readonly minDelayMs?: number | undefined;
  /** The highest such bound, in milliseconds. 0 to 2,147,483,647. @default 60,000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * How long a connection must last to count as good, in milliseconds. After a good one, the next pause is the first again. 0 to
   * 2,147,483,647.
   *
   * @default 10,000
   */
  readonly stableMs?: number | undefined;
  /** How long an attempt may take, and how long `renew`, in milliseconds. 0 to 2,147,483,647. @default 15,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** What makes sockets: in Node 20, the `WebSocket` of `ws`. @default the platform's `WebSocket` */
  readonly WebSocket?: ClientSocketConstructor | undefined;
  /** The time that the client goes by. @default the platform's */
  readonly clock?: ClientClock | undefined;
  /** Numbers from 0 to below 1, for pauses. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * The state of a client, for a status line. `error` is what `renew`, `ticket`, `protocols` or `WebSocket` threw, or the answer to a refused
 * handshake, if the platform tells it.
 */
export type ClientState =
  | { readonly name: 'connecting' }
  | { readonly name: 'open' }
  /** It returns by itself, in `inMs` milliseconds at the latest. */
  | { readonly name: 'waiting'; readonly inMs: number; readonly closing: Closing; readonly error?: unknown }
  /** There is no network; it returns when there is. */
  | { readonly name: 'offline'; readonly closing: Closing; readonly error?: unknown }
  /** It gets a new credential, then returns. */
  | { readonly name: 'renewing'; readonly closing: Closing; readonly error?: unknown }
  /**
   * It returns no more: `log-in` where somebody must log in first, `refused` where the server, or the application on it, closed it for
   * good, `failing` where the server failed too often, `closed` where `close` was called.
   */
  | {
      readonly name: 'stopped';
      readonly why: 'log-in' | 'refused' | 'failing' | 'closed';
      readonly closing: Closing;
      readonly error?: unknown;
    };

/** Options of one request. */
export interface RequestOptions {
  /** How long the answer may take, in milliseconds, new connections included. 0 to 2,147,483,647. @default 30,000 */
  readonly timeoutMs?: number | undefined;
  /** Gives the request up: it rejects with the reason of the signal. @default none */
  readonly signal?: AbortSignal | undefined;
}
