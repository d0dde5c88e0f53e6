import { ClientChannel } from './client-channel.js';
import type { ClientOptions } from './client-options.js';

/**
 * Connects to a channel of a ws-with server and stays connected, as its close contract asks: it renews the credential and returns when the token has expired, stops where it is refused or
 * somebody must log in, and otherwise returns after a random, growing pause; at once when the network comes back or the page becomes visible.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`; in a page it may be relative.
 * @throws {TypeError} when there is no `WebSocket`, or `url` is none.
 */
export function connectChannel(url: string | URL, options: ClientOptions = {}): ClientChannel {
  return new ClientChannel(url, options);
}
