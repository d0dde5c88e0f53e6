import { ClientChannel } from './client-channel.js';
import type { ClientOptions } from './client-options.js';

/**
 * Connects to a channel of a ws-with server and stays connected, as its close contract asks. When the token has expired, it renews the
 * credential and returns. When it is refused, or somebody must log in, it stops. Otherwise it returns after a random, growing pause, and at
 * once when the network comes back or the page becomes visible.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`; in a page it may be relative.
 * @throws {TypeError} when there is no `WebSocket`, `url` is not a URL, or an option is not what it must be.
 */
export function connectChannel(url: string | URL, options: ClientOptions = {}): ClientChannel {
  return new ClientChannel(url, options);
}
