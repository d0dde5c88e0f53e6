import type { IncomingMessage } from 'node:http';
import type { Handshake, HandshakeRequest, PathParams } from './messages.js';
import { lastEntry } from './origin.js';

/** Headers that carry credentials. */
const secretHeaders: ReadonlySet<string> = new Set(['cookie', 'authorization', 'proxy-authorization', 'sec-websocket-protocol']);

/** No group matched, or there are none. */
export const noParams: PathParams = Object.freeze(Object.create(null));

/** `url` with the values of the parameters `secret` replaced. */
export function redactUrl(url: string, secret: ReadonlySet<string>): string {
  const start = url.indexOf('?');
  if (start < 0 || secret.size === 0) return url;
  const parts = url
    .slice(start + 1)
    .split('&')
    .map((part) => {
      const [name] = new URLSearchParams(part).keys();
      return name !== undefined && secret.has(name) ? `${part.split('=', 1)[0]}=***` : part;
    });
  return `${url.slice(0, start)}?${parts.join('&')}`;
}

/** `request` with the parameters of its path; those that a framework has found already stay where a route gives none. */
export function withParams(request: IncomingMessage, params?: PathParams): HandshakeRequest {
  if (params === undefined && hasParams(request)) return request;
  return Object.assign(request, { params: params ?? noParams });
}

function hasParams(request: IncomingMessage): request is HandshakeRequest {
  const params: unknown = Reflect.get(request, 'params');
  return typeof params === 'object' && params !== null;
}

/** The client's address: behind a proxy that is trusted, the one which that proxy saw. */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? lastEntry(request.headers['x-forwarded-for']) : '';
  return forwarded || request.socket.remoteAddress;
}

/** What is kept of a request after connect: frozen, and without anything secret. */
export function handshakeOf(request: HandshakeRequest, secretParameters: ReadonlySet<string>, address: string | undefined): Handshake {
  const headers: Record<string, string | readonly string[] | undefined> = {};
  for (const name of Object.keys(request.headers)) {
    if (secretHeaders.has(name)) continue;
    const value = request.headers[name];
    headers[name] = Array.isArray(value) ? Object.freeze([...value]) : value;
  }
  return Object.freeze({
    url: redactUrl(request.url ?? '/', secretParameters),
    headers: Object.freeze(headers),
    address,
    params: Object.isFrozen(request.params) ? request.params : Object.freeze({ ...request.params }),
  });
}
