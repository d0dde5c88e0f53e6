import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { domainToASCII } from 'node:url';
import { aFlag, anything, type Rules } from './checked-options.js';
import { lastEntry, socketOf } from './handshake.js';
import { kindOf } from './kind-of.js';

/** Which pages may open sockets. */
export interface OriginOptions {
  /**
   * Further origins that are let in, as `scheme://host` or `scheme://host:port`. `https://*.example.com` means every host of whole labels
   * below `example.com`, not that one itself. Without a scheme (`*.example.com`) it means `https` and `http`. `ws` and `wss` count as
   * `http` and `https`. Origins without a host (`file://`, `null`) match exactly; every sandboxed page of any site sends `null`.
   *
   * @default none
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * The origin or origins under which browsers reach this server, in place of the `Host` header, behind a proxy that rewrites it.
   *
   * @default `Host` decides
   */
  readonly publicOrigin?: string | readonly string[] | undefined;
  /**
   * Refuse handshakes without an `Origin` header, which only native clients send. (If `Sec-Fetch-Site` says that a page of another site
   * sent it, it is always refused.)
   *
   * @default false
   */
  readonly requireOrigin?: boolean | undefined;
  /**
   * Read what the nearest proxy says in `X-Forwarded-Host`, `X-Forwarded-Proto` and `X-Forwarded-For` (the last entry of each). Set it only
   * if every request comes through a proxy that sets them.
   *
   * @default false
   */
  readonly trustProxy?: boolean | undefined;
}

interface Origin {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

/** Longest origin that is looked at: a host has at most 253 characters (RFC 1035, section 2.3.4). */
const maxOriginLength = 300;
const originPattern = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
const hostPattern = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
/** An origin that names no host, e.g. `file://`: nothing of it can be compared but the whole. */
const opaquePattern = /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]*$/i;
const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };
/** Native clients send the URL that they open. */
const pageSchemes: Readonly<Record<string, string>> = { ws: 'http', wss: 'https' };

/** An origin as RFC 6454 serialises it. Not `URL.origin`, which is `'null'` for every scheme of an application's own. */
function parseOrigin(text: string): Origin | undefined {
  if (text.length > maxOriginLength) return undefined;
  const match = originPattern.exec(text.toLowerCase());
  if (match === null) return undefined;
  const [, given, host, port] = match as unknown as [string, string, string, string | undefined];
  const scheme = pageSchemes[given] ?? given;
  return { scheme, host, port: port ?? defaultPorts[scheme] ?? '' };
}

function isOpaque(text: string): boolean {
  if (text === 'null') return true;
  if (text.length > maxOriginLength || !opaquePattern.test(text) || /[*,]/.test(text)) return false;
  return !/^(http|ws)s?:/i.test(text) && parseOrigin(text) === undefined;
}

/** Whether an `Origin` header is such that a list of origins can hold it. */
export function isListable(header: string): boolean {
  return parseOrigin(header) !== undefined || isOpaque(header);
}

type Matcher = (header: string, origin: Origin | undefined) => boolean;

function parsePattern(option: string, text: unknown): Matcher {
  const fail = (): never => {
    const got = typeof text === 'string' ? JSON.stringify(text) : typeof text;
    throw new TypeError(`${option} must hold origins like 'https://app.example.com', 'https://*.example.com' or 'null', got ${got}`);
  };
  if (typeof text !== 'string') return fail();
  if (isOpaque(text)) return (header) => header === text;
  const [, scheme, wildcard, rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(\*\.)?(.*)$/i.exec(text) ?? [];
  const schemes = scheme === undefined ? ['https', 'http'] : [scheme.slice(0, -3).toLowerCase()];
  const wanted = schemes.map((name) => parseOrigin(`${name}://${inAscii(rest)}`) ?? fail());
  return (_header, origin) =>
    origin !== undefined &&
    wanted.some(
      ({ scheme: name, host, port }) =>
        origin.scheme === name && origin.port === port && (wildcard === undefined ? origin.host === host : isBelow(origin.host, host)),
    );
}

/** `authority` as browsers send it: a host of other letters in Punycode (RFC 3492). */
function inAscii(authority: string): string {
  const [host = '', ...port] = authority.split(':');
  return /[\u0080-\uffff]/.test(host) && /^[^/?#\\]+$/.test(host) ? [domainToASCII(host), ...port].join(':') : authority;
}

/** Whether `host` is one or more whole labels below `parent`. */
function isBelow(host: string, parent: string): boolean {
  return host.endsWith(`.${parent}`) && /^[^.]+(\.[^.]+)*$/.test(host.slice(0, -parent.length - 1));
}

/** What the options of the rule must be; the origins among them are parsed by {@link originRule}. */
export const originRules: Rules<OriginOptions> = {
  origins: anything,
  publicOrigin: anything,
  requireOrigin: aFlag,
  trustProxy: aFlag,
};

/**
 * Compiled origins, e.g. of `withAllowedOrigins`: whether one of them is `header`.
 *
 * @param option whose they are, and what they are called, for errors.
 * @throws {TypeError} when `list` is none, or an origin in it.
 */
export function originMatcher(option: string, list: readonly string[]): (header: string) => boolean {
  if (!Array.isArray(list)) throw new TypeError(`${option} must be a list of origins, got ${kindOf(list)}`);
  const patterns = list.map((text) => parsePattern(option, text));
  return (header) => {
    const origin = parseOrigin(header);
    return patterns.some((matches) => matches(header, origin));
  };
}

/**
 * Whether a page of another site sent a handshake although it has no Origin: only browsers send `Sec-Fetch-Site`, and no script can set it.
 */
export function isCrossSite(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** The host and port that a request goes to, as it says. HTTP/2 has a field of its own for it (RFC 9113, section 8.3.1). */
export function hostOf({ headers }: IncomingMessage): string {
  return headers.host || String(headers[':authority'] ?? '');
}

/** Whether a request asks for another protocol than HTTP on its connection. */
export function isUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade !== undefined;
}

/** The methods that ask for no change (RFC 9110, section 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether a request may change something: with its visitor's cookies, a page of another site could have it sent. */
export function mayChange({ method }: IncomingMessage): boolean {
  return method != null && !safeMethods.has(method);
}

/**
 * The rule of a server: a handshake without Origin passes unless `requireOrigin` is set or a browser sent it for another site's page; one
 * with it must come from the same host and port as the request goes to, or from a listed origin. It keeps other sites' pages from opening
 * sockets with their visitors' cookies.
 *
 * @param owner whose options they are, for errors.
 * @throws {TypeError} when an origin is none.
 */
export function originRule(options: OriginOptions, owner = 'ChannelServer'): (request: IncomingMessage) => boolean {
  const listed = originMatcher(`${owner}: origins`, options.origins ?? []);
  const { publicOrigin, requireOrigin = false, trustProxy = false } = options;
  const published = publicOrigin === undefined ? undefined : originMatcher(`${owner}: publicOrigin`, [publicOrigin].flat() as string[]);
  return (request) => {
    const header = request.headers.origin;
    if (header === undefined) return !requireOrigin && !isCrossSite(request);
    if (listed(header)) return true;
    return published === undefined ? isSameOrigin(header, request, trustProxy) : published(header);
  };
}

function isSameOrigin(header: string, request: IncomingMessage, trustProxy: boolean): boolean {
  const origin = parseOrigin(header);
  if (origin === undefined || (origin.scheme !== 'http' && origin.scheme !== 'https')) return false;
  const forwardedHost = trustProxy ? lastEntry(request.headers['x-forwarded-host']) : '';
  const host = hostPattern.exec((forwardedHost || hostOf(request)).toLowerCase());
  if (host === null) return false;
  const forwardedProto = trustProxy ? lastEntry(request.headers['x-forwarded-proto'])?.toLowerCase() : '';
  const encrypted = forwardedProto
    ? forwardedProto === 'https' || forwardedProto === 'wss'
    : (socketOf(request) as TLSSocket | undefined)?.encrypted === true;
  if (encrypted && origin.scheme === 'http') return false;
  return origin.host === host[1] && origin.port === (host[2] ?? defaultPorts[origin.scheme]);
}
