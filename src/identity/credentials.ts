import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Carrier } from '../authentication.js';
import { httpToken } from '../http-token.js';
import { kindOf, kindOfSecret } from '../kind-of.js';
import { ignore, isThenable } from '../maybe-promise.js';
import { isTokenKey } from '../token-id.js';

/** What a request presents in one place: nothing, something that cannot be a key (or differing ones), or a key. */
export type Presented = { readonly kind: 'missing' } | { readonly kind: 'malformed' } | { readonly kind: 'key'; readonly key: string };

/** A place of the handshake where a token may travel: made by `cookie`, `authorization`, `subprotocol`, `query` or `ticket`. */
export interface CredentialSource {
  readonly carrier: Carrier;
  /**
   * Name of the cookie or parameter, prefix of the subprotocol, or the schemes; of a place of your own with the carrier `'header'`, that of
   * the header.
   */
  readonly name: string;
  /** What stands there. A ticket can be used once. @default 'token' */
  readonly presents?: 'token' | 'ticket' | undefined;
  /**
   * What `request` presents here. Never throws for what a client sent.
   *
   * @param isKey whether a value can be a key; everything else is malformed. @default a token's key: 16 to 512 characters of
   * `[A-Za-z0-9._~+/=-]`
   */
  find(request: IncomingMessage, isKey?: (value: string) => boolean): Presented;
}

const missing: Presented = Object.freeze({ kind: 'missing' });
const malformed: Presented = Object.freeze({ kind: 'malformed' });
const noValues: readonly string[] = Object.freeze([]);

/** One key from all the values found in one place: the same value twice is one value, two different ones are malformed. */
function presented(values: readonly string[], isKey: (value: string) => boolean = isTokenKey): Presented {
  const key = values[0];
  if (key === undefined) return missing;
  return isKey(key) && (values.length === 1 || values.every((value) => value === key)) ? { kind: 'key', key } : malformed;
}

/** The places that give nothing but what {@link presented} made, or {@link presentedAt} has looked at. */
const reliablePlaces = new WeakSet<CredentialSource>();

/** `place` itself, as one whose answers can be relied on. */
export function reliable(place: CredentialSource): CredentialSource {
  reliablePlaces.add(place);
  return Object.freeze(place);
}

function checkName(owner: string, option: string, value: unknown, pattern: RegExp): void {
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw new TypeError(
      `${owner}: ${option} must match ${String(pattern)}, got ${typeof value === 'string' ? JSON.stringify(value) : typeof value}`,
    );
  }
}

/**
 * All values of the cookie `name`, matched by its exact name. Each part is parsed on its own, since parsing them together hides
 * duplicates; a part without `=` does not count.
 */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  const cookies = header ?? '';
  let values: string[] | undefined;
  // from one part in which the name stands to the next: what a client sends is gone over once
  for (let at = cookies.indexOf(name); at >= 0; ) {
    const next = cookies.indexOf(';', at);
    const value = beginsPart(cookies, at) ? valueIn(cookies.slice(at, next < 0 ? cookies.length : next), name) : undefined;
    if (value !== undefined && values === undefined) values = [value];
    else if (value !== undefined) values?.push(value);
    at = next < 0 ? -1 : cookies.indexOf(name, next);
  }
  return values ?? noValues;
}

/** Whether a part of the header `cookies` begins at `at`, but for white space (RFC 6265, section 5.2). */
function beginsPart(cookies: string, at: number): boolean {
  let before = at - 1;
  while (cookies[before] === ' ' || cookies[before] === '\t') before -= 1;
  return before < 0 || cookies[before] === ';';
}

/**
 * What `part` of a header, which begins with `name`, holds if it is that cookie: others are not decoded, which takes longest where it
 * cannot be.
 */
function valueIn(part: string, name: string): string | undefined {
  if (part[name.length] !== '=' && part.slice(name.length).trimStart()[0] !== '=') return undefined;
  return parseCookie(part)[name]; // an object without a prototype
}

/**
 * A token in a cookie.
 *
 * @param name exact name of the cookie. @default 'key'
 * @throws {TypeError} when no cookie can have that name.
 */
export function cookie(name = 'key'): CredentialSource {
  checkName('cookie', 'name', name, httpToken);
  return reliable({
    carrier: 'cookie',
    name,
    find: (request, isKey) => presented(cookieValues(request.headers.cookie, name), isKey),
  });
}

/** Whether several `Authorization` headers were sent that differ: Node gives the first alone, a proxy may have looked at another. */
function hasRivals({ rawHeaders = [] }: Partial<IncomingMessage>): boolean {
  // not compared with `headers`: the application may have put another there, which is its own affair
  const sent = rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization');
  return new Set(sent.map((value) => value.trim())).size > 1;
}

/**
 * A token in the `Authorization` header: `Scheme key` and nothing more. A header with another scheme counts as missing; several that differ
 * are malformed.
 *
 * @param schemes compared without regard to case. @default 'Bearer', 'Token' (RFC 6750; Django REST framework)
 * @throws {TypeError} when one of them is no token of HTTP.
 */
export function authorization(...schemes: readonly string[]): CredentialSource {
  for (const scheme of schemes) checkName('authorization', 'a scheme', scheme, httpToken);
  const accepted = (schemes.length > 0 ? schemes : ['Bearer', 'Token']).map((scheme) => scheme.toLowerCase());
  const find: CredentialSource['find'] = (request, isKey) => {
    const [scheme, key, ...more] = (request.headers.authorization ?? '').trim().split(/ +/);
    if (key !== undefined && hasRivals(request)) return malformed;
    if (key === undefined || more.length > 0 || !accepted.includes((scheme as string).toLowerCase())) return missing;
    return presented([key], isKey);
  };
  return reliable({ carrier: 'authorization', name: accepted.join(','), find });
}

/** The subprotocols that a handshake offers (RFC 6455, section 11.3.4). */
export function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return [];
  return header
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/**
 * A token as a subprotocol, for browsers, which can set no other header: `new WebSocket(url, ['chat', `${prefix}${key}`])`. It is never
 * echoed, so the client must offer a real protocol beside it.
 *
 * @param prefix what the protocol starts with, e.g. `'token.'`; what follows is the key.
 * @throws {TypeError} when no subprotocol can start with it.
 */
export function subprotocol(prefix: string): CredentialSource {
  checkName('subprotocol', 'prefix', prefix, httpToken);
  const find: CredentialSource['find'] = (request, isKey) =>
    presented(
      offeredSubprotocols(request).flatMap((offer) => (offer.startsWith(prefix) ? [offer.slice(prefix.length)] : [])),
      isKey,
    );
  return reliable({ carrier: 'subprotocol', name: prefix, find });
}

/**
 * A token in the query. URLs end up in logs of proxies and browsers, so this is never a default; this package removes the value from
 * everything that it hands on after connect.
 *
 * @param name of the parameter, without white space and `&`, `=`, `#`.
 * @throws {TypeError} when it is anything else.
 */
export function query(name: string): CredentialSource {
  checkName('query', 'name', name, /^[^\s&=#]+$/);
  const find: CredentialSource['find'] = (request, isKey) => presented(queryOf(request.url).getAll(name), isKey);
  return reliable({ carrier: 'query', name, find });
}

/** The parameters of a request's URL. */
function queryOf(url: string | undefined): URLSearchParams {
  const start = url?.indexOf('?') ?? -1;
  return new URLSearchParams(start < 0 ? '' : (url as string).slice(start + 1));
}

/**
 * A checked copy of an option `from`.
 *
 * @throws {TypeError} when something in it was not made by `cookie`, `authorization`, `subprotocol`, `query` or `ticket`.
 */
export function checkedCredentialSources(owner: string, from: unknown): readonly CredentialSource[] {
  const list: readonly unknown[] = Array.isArray(from) ? from : [from];
  for (const source of list) {
    // a list has a find, too
    if (Array.isArray(source) || typeof (source as Partial<CredentialSource> | null)?.find !== 'function') {
      const got = kindOf(source);
      throw new TypeError(
        `${owner}: from must be cookie(…), authorization(…), subprotocol(…), query(…), ticket(…) or a list of them, got ${got}`,
      );
    }
  }
  if (list.length === 0) throw new TypeError(`${owner}: from must name at least one place, got an empty list`);
  return Object.freeze((list as readonly CredentialSource[]).map(checkedPlace));
}

/** `place` itself; of one of the application's own, each answer is looked at. */
export function checkedPlace(place: CredentialSource): CredentialSource {
  if (reliablePlaces.has(place)) return place;
  const { carrier, name, presents } = place;
  return reliable({ carrier, name, presents, find: (request, isKey = isTokenKey) => presentedAt(place, request, isKey) });
}

/**
 * What `place`, which is the application's own, presents: a key only where `isKey` says so, for a client decides what it reads.
 *
 * @throws {TypeError} naming the place, when what it returned is nothing that a place returns.
 */
function presentedAt(place: CredentialSource, request: IncomingMessage, isKey: (value: string) => boolean): Presented {
  const found: unknown = place.find(request, isKey);
  if (found === undefined || found === null) return missing;
  if (typeof found === 'object') {
    const { kind, key } = found as { readonly kind?: unknown; readonly key?: unknown };
    if (kind === 'missing' || (kind === 'key' && (key === undefined || key === null))) return missing;
    if (kind === 'malformed') return malformed;
    if (kind === 'key') return typeof key === 'string' && isKey(key) ? { kind, key } : malformed;
  }
  ignore(found); // of a promise nobody else would hear that it rejects
  const what = `from: find of the place ${place.carrier} ${place.name}`;
  const must = "must return { kind: 'missing' }, { kind: 'malformed' } or { kind: 'key', key }";
  throw new TypeError(`${what} ${must}, got ${kindOfReturned(found)}`);
}

function kindOfReturned(found: unknown): string {
  if (isThenable(found)) return 'a promise';
  return typeof found === 'object' ? 'an object of another kind' : kindOfSecret(found);
}

/**
 * What the first of `places` that holds a key presents; without one, whether any held something malformed.
 *
 * @param isKey whether a value can be a key of whoever asks.
 */
export function findCredential<Place extends CredentialSource>(
  request: IncomingMessage,
  places: readonly Place[],
  isKey: (value: string) => boolean = isTokenKey,
): { readonly presented: Presented; readonly place: Place | undefined } {
  let bad: Place | undefined;
  for (const place of places) {
    const found = place.find(request, isKey);
    if (found.kind === 'key') return { presented: found, place };
    if (found.kind === 'malformed') bad ??= place;
  }
  return bad === undefined ? { presented: missing, place: undefined } : { presented: malformed, place: bad };
}
