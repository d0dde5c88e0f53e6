import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Handshake, HandshakeRequest, PathParams } from './messages.js';

/** Headers that carry credentials, whatever wrappers read. */
export const credentialHeaders: ReadonlySet<string> = new Set(['cookie', 'authorization', 'proxy-authorization', 'sec-websocket-protocol']);

/** What of a handshake nobody is shown: the names of parameters and headers, in lower case. */
export interface HandshakeSecrets {
  readonly secretParameters: ReadonlySet<string>;
  readonly secretHeaders: ReadonlySet<string>;
}

/** No group matched, or there are none. */
export const noParams: PathParams = Object.freeze(Object.create(null));

function isSecret(parameter: string, secret: ReadonlySet<string>): boolean {
  const [name] = new URLSearchParams(parameter).keys();
  return name !== undefined && secret.has(name.toLowerCase());
}

/** `url` with the values of the parameters `secret` replaced, in whatever case a client wrote their names. */
export function redactUrl(url: string, secret: ReadonlySet<string>): string {
  if (secret.size === 0) return url;
  const start = url.indexOf('?');
  if (start < 0) return url;
  const parts = url
    .slice(start + 1)
    .split('&')
    .map((part) => {
      const pieces = part.split('?'); // a header may list URLs, or hold one within another
      const at = pieces.findIndex((piece) => isSecret(piece, secret));
      return at < 0 ? part : `${[...pieces.slice(0, at), pieces[at]?.split('=', 1)[0]].join('?')}=***`;
    });
  return `${url.slice(0, start)}?${parts.join('&')}`;
}

/** `request` with the parameters of its path; those that a framework has found already stay where a route gives none. */
export function withParams(request: IncomingMessage, params?: PathParams): HandshakeRequest {
  if (params === undefined && hasParams(request)) return request;
  const withThem = request as IncomingMessage & { params: PathParams };
  withThem.params = params ?? noParams;
  return withThem;
}

function hasParams(request: IncomingMessage): request is HandshakeRequest {
  const params: unknown = Reflect.get(request, 'params');
  return typeof params === 'object' && params !== null;
}

/** An address that some proxies tell with its port, which each connection has anew: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const addressWithPort = /^(?:\[([\da-f:.]+)\]|(\d+(?:\.\d+){3}))(?::\d{1,5})?$/i;

/** The address alone of what a proxy tells; what is no address stays as it is. */
function withoutPort(told: string | undefined): string | undefined {
  const [, v6, v4] = addressWithPort.exec(told ?? '') ?? [];
  return v6 ?? v4 ?? told;
}

/** The connection of `request`. Requests that somebody has made up, as for a test, have none. */
export function socketOf(request: IncomingMessage): Socket | undefined {
  return request.socket;
}

/** The last entry of a header that proxies append to. */
export function lastEntry(header: string | readonly string[] | undefined): string | undefined {
  return String(header ?? '')
    .split(',')
    .at(-1)
    ?.trim();
}

/** The client's address: behind a proxy that is trusted, the one which that proxy saw. */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? withoutPort(lastEntry(request.headers['x-forwarded-for'])) : '';
  return forwarded || socketOf(request)?.remoteAddress;
}

/** Names and values of headers in turn. */
type HeaderList = readonly (string | readonly string[])[];

/** Of each handshake another one, and of no use any more. */
const nonceHeader = 'sec-websocket-key';

/** Of the handshake before: what it has in common with the next is kept once for both, since clients of a kind send the same. */
let former: HeaderList = [];

/** The headers of a request, but for the nonce and what is secret. */
function keptHeaders(headers: IncomingHttpHeaders, { secretParameters, secretHeaders }: HandshakeSecrets): HeaderList {
  let own: (string | readonly string[])[] | undefined;
  let length = 0;
  for (const name in headers) {
    const given = headers[name];
    const isList = Array.isArray(given);
    // what else there is was put there, or into the prototype of all objects, by mistake
    if ((typeof given !== 'string' && !isList) || name === nonceHeader || secretHeaders.has(name)) continue;
    // proxies repeat the URL, as in X-Original-URL
    const value = isList ? Object.freeze([...given]) : redactUrl(given, secretParameters);
    const isFormer = former[length] === name && former[length + 1] === value;
    if (!isFormer) own ??= former.slice(0, length);
    own?.push(name, isFormer ? (former[length + 1] as string) : value);
    length += 2;
  }
  former = own ?? (length === former.length ? former : former.slice(0, length));
  return former;
}

/** The address is that of the peer, and nobody has asked for it yet. */
const unknownAddress: unique symbol = Symbol('unknown');

/**
 * What is kept of a request after connect, without anything secret. Most of it is nobody's concern: it is put together for who asks first.
 */
export class KeptHandshake {
  readonly #url: string;
  #headers: HeaderList;
  readonly #nonce: string | undefined;
  readonly #params: PathParams;
  readonly #socket: Socket | undefined;
  #address: string | undefined | typeof unknownAddress = unknownAddress;
  #whole: Handshake | undefined;

  constructor(request: HandshakeRequest, secrets: HandshakeSecrets) {
    const { headers, url = '/', params } = request;
    this.#socket = socketOf(request);
    this.#url = redactUrl(url, secrets.secretParameters);
    this.#headers = keptHeaders(headers, secrets);
    this.#nonce = headers[nonceHeader];
    this.#params = params === noParams || Object.isFrozen(params) ? params : Object.freeze({ ...params });
  }

  /** The client's address, where that is decided at connect; else it is the peer's. */
  putAddress(address: string | undefined): void {
    this.#address = address;
  }

  /** The client's address. That of the peer is asked for by whoever comes first: once the connection is gone, nobody can tell. */
  rememberAddress(): string | undefined {
    const address = this.#address === unknownAddress ? this.#socket?.remoteAddress : this.#address;
    this.#address = address;
    return address;
  }

  get whole(): Handshake {
    this.#whole ??= this.#make();
    return this.#whole;
  }

  #make(): Handshake {
    const address = this.rememberAddress();
    const headers: Record<string, string | readonly string[]> = {};
    for (let index = 0; index < this.#headers.length; index += 2) {
      headers[this.#headers[index] as string] = this.#headers[index + 1] as string | readonly string[];
    }
    this.#headers = [];
    if (this.#nonce !== undefined) headers[nonceHeader] = this.#nonce;
    return Object.freeze({ url: this.#url, headers: Object.freeze(headers), address, params: this.#params });
  }
}
