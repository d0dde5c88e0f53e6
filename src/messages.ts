import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Authentication } from './authentication.js';
import type { HttpSession } from './contracts/http-session-reader.js';
import type { ResponseHeaders } from './response-headers.js';
import type { TokenId } from './token-id.js';
import type { AnonymousUser, AppUser, Register } from './users.js';

/** One WebSocket connection, from the moment its handshake arrives until it is closed. */
export interface Channel {
  /** Random and unique; may be shown to clients. */
  readonly id: string;
  /** Who was identified at connect, as last looked up; the anonymous user if nobody was. */
  readonly user: AppUser | AnonymousUser;
  /** The id of the token that identifies the channel: the one that it came with, or has gone over to. */
  readonly tokenId: TokenId | undefined;
  /** The `ws` socket itself; `undefined` until the handshake is answered. */
  readonly socket: WebSocket | undefined;
  /** Aborted once the channel begins to end: the peer left, or this side decided to close. */
  readonly signal: AbortSignal;
  /**
   * Sends one message: a text frame for a string, a binary one for bytes. Before the handshake is answered, the message is held.
   *
   * @returns whether the channel took it: `false` once the channel is closing or ended.
   * @throws {TypeError} when `data` is neither a string nor bytes.
   */
  send(data: string | ArrayBuffer | ArrayBufferView): boolean;
  /**
   * Sends `value` as JSON, in a text frame.
   *
   * @returns as {@link send}.
   * @throws {TypeError} when JSON cannot hold `value` (a function, `undefined`, a cycle, a BigInt).
   */
  sendJson(value: unknown): boolean;
  /**
   * Closes the channel. What was received before still reaches the handlers; nothing is sent any more.
   *
   * @param code 1000 to 1014 except 1004 to 1006, or 3000 to 4999 (RFC 6455, section 7.4). @default 1000
   * @param reason cut at 123 bytes of UTF-8. @default ''
   * @throws {TypeError} when `code` is not one that a server may send.
   */
  close(code?: number, reason?: string): void;
  /** Drops the connection at once, without a closing handshake. */
  terminate(): void;
  /**
   * Lets the channel go over to another token of the same user, so that it outlives the first one. It is for clients that renew their token
   * and send the new key in a message. `tokenId`, `user` and `authentication` are then those of the new token; a session of scope `client`
   * stays the one that was opened at connect.
   *
   * Resolves to whether the channel has gone over. It is `false`, and nothing changes, if the token is unknown, expired, revoked or of
   * another user, or if the channel is anonymous or has ended.
   *
   * @param key the key of the new token.
   * @throws {TypeError} (as a rejection) when `key` is malformed, or the server identifies nobody by tokens.
   * @throws {ChannelError} (as a rejection) `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` when nobody can tell; nothing changes.
   */
  reauthenticate(key: string): Promise<boolean>;
}

/** What the groups of a route's `path` matched, by name, percent-decoded if possible; `*` and unnamed groups are `0`, `1`, … */
export type PathParams = Readonly<Record<string, string>>;

/** The request of a handshake. */
export interface HandshakeRequest extends IncomingMessage {
  /** What the groups of `path` matched (`handleUpgrades`); empty if it has none, and with `accept` and `attach`. */
  readonly params: PathParams;
}

/** What is kept of the handshake after connect: frozen, and without anything secret. */
export interface Handshake {
  /** Path and query as the client sent them; the values of parameters that carry tokens are replaced by `***`. */
  readonly url: string;
  /** The headers except `cookie`, `authorization`, `proxy-authorization` and `sec-websocket-protocol`; names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The client's IP address, as `clientAddress` or `trustProxy` of the server tell it; `undefined` if the transport has none. */
  readonly address: string | undefined;
  /** What the groups of `path` matched, as in connect. */
  readonly params: PathParams;
}

/** What every message has, before any wrapper has run. */
export interface BaseMessage {
  readonly kind: 'connect' | 'receive' | 'disconnect';
  readonly channel: Channel;
  /** In connect the request itself, later what is kept of it. */
  readonly request: HandshakeRequest | Handshake;
  /** Aborted once the channel begins to end; give it to anything that the handler waits for. */
  readonly signal: AbortSignal;
  /** How the channel was identified; `undefined` if no wrapper of the server identifies. */
  readonly authentication: Authentication | undefined;
}

/** A handshake has arrived. */
export interface ConnectMessage extends BaseMessage {
  readonly kind: 'connect';
  readonly request: HandshakeRequest;
  /**
   * Headers that go with the 101 (`handleUpgrades`), e.g. `message.responseHeaders.append('Set-Cookie', 'seen=1')`. A refusal carries none
   * of them. With `accept` and `attach` the handshake is answered already, and setting one throws.
   */
  readonly responseHeaders: ResponseHeaders;
}

/** The client has sent a message (RFC 6455, section 5.6). */
export interface ReceiveMessage extends BaseMessage {
  readonly kind: 'receive';
  readonly request: Handshake;
  /** The payload's bytes. */
  readonly data: Uint8Array;
  /** The payload as UTF-8. */
  readonly text: string;
  /** Whether it came in a binary frame. */
  readonly isBinary: boolean;
  /**
   * The payload, parsed.
   *
   * @throws {ClientError} `invalid_json` when it is not JSON.
   */
  json(): unknown;
}

/** The connection is closed. Only channels whose connect succeeded get it, and each of them once. */
export interface DisconnectMessage extends BaseMessage {
  readonly kind: 'disconnect';
  readonly request: Handshake;
  /** The code that closed the channel: ours if this side closed it, else the peer's; 1006 if the peer vanished, 1005 if it gave none. */
  readonly code: number;
  readonly reason: string;
}

/** A message of any kind; `kind` tells which. */
export type Message = ConnectMessage | ReceiveMessage | DisconnectMessage;

/** `T` with everything in it read-only. */
export type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** The values of the channel session: `Register.session`, or any values if nothing is registered. */
export type AppSession = Register extends { session: infer Session extends object } ? Session : Record<string, unknown>;

/**
 * The session of a channel as one message sees it: the last saved state and this message's own changes. They are saved together when the
 * handler has succeeded; a handler that throws leaves the session as it was. Once the message is over, it can only be read, and a change is
 * a `TypeError`. Writing a property always is.
 */
export interface ChannelSession {
  /** The value of `key`, frozen, or `undefined`. Nothing is copied. */
  get<Key extends keyof AppSession & string>(key: Key): DeepReadonly<AppSession[Key]> | undefined;
  /**
   * Sets `key` to a frozen copy of `value`.
   *
   * @throws {TypeError} naming the path, when JSON cannot hold `value`.
   */
  set<Key extends keyof AppSession & string>(key: Key, value: DeepReadonly<AppSession[Key]>): void;
  has(key: keyof AppSession & string): boolean;
  delete(key: keyof AppSession & string): void;
  /**
   * Sets `key` to what `change` makes of its value: at once, and again from the newest value if another channel saved in between. So
   * `change` must be synchronous and have no other effect.
   *
   * @throws {TypeError} naming the path, when JSON cannot hold what `change` returns.
   */
  update<Key extends keyof AppSession & string>(
    key: Key,
    change: (value: DeepReadonly<AppSession[Key]> | undefined) => DeepReadonly<AppSession[Key]>,
  ): void;
  /**
   * Reads the session anew from its store. Changes of this message that are not saved yet are dropped; until it is done, a change is a
   * `TypeError`.
   *
   * @throws {ChannelError} `ERR_SESSION_LOAD_FAILED` when the store fails or does not answer in time.
   */
  reload(): Promise<void>;
}

/** Added by `withChannelSession`, and by every wrapper that identifies. */
export interface HasChannelSession {
  /** The channel's session. */
  readonly channelSession: ChannelSession;
}

/** Added by `withHttpSession`, `withChannelAndHttpSession`, `withHttpUser` and `withUserFromHttp`. */
export interface HasHttpSession {
  /** The web site's session; `undefined` if there is none. */
  readonly httpSession: HttpSession | undefined;
}

/** Added by `withRequestId`. */
export interface HasRequestId {
  /** The number that the client gave the message; `undefined` if it gave none. */
  readonly requestId: string | undefined;
}

/** Added by `withJson(schema)`, and to the parts of `dispatchOn`. */
export interface HasBody<Body = unknown> {
  /** The message's JSON: the schema's output, or as it came if there is no schema. */
  readonly body: Body;
}
