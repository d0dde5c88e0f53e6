import { ChannelConnectMessage } from '../src/channel/connecting.js';
import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { isCrossSite, originMatcher } from '../src/origin.js';
import { unlistedOrigin } from '../src/refused-origin.js';
import { markFactories } from '../src/wrapping/made-function.js';
import type { Wrapper } from '../src/wrapping/wrapper.js';

/**
 * Lets only pages of the listed origins connect: it narrows further what the server's own rule lets in, and never widens it. Handshakes
 * without an Origin header (native clients) pass, unless their `Sec-Fetch-Site` names another site. After connect it does nothing.
 *
 * Ports `allowed_hosts_only` of Channels 1.1.8 (`channels/security/websockets.py`), which also shuts out native clients.
 *
 * @param origins in the form of the server's option `origins`: `https://app.example.com`, `https://*.example.com`, `null`.
 * @throws {TypeError} when one of them is not an origin.
 */
export function withAllowedOrigins(origins: readonly string[]): Wrapper {
  const name = 'withAllowedOrigins';
  const allows = originMatcher(`${name}: origins`, origins);
  return defineBuiltIn(name, {
    before: (message) => {
      if (!(message instanceof ChannelConnectMessage)) return;
      const { origin } = message.request.headers;
      if (origin === undefined ? !isCrossSite(message.request) : allows(origin)) return;
      const refused = unlistedOrigin(message.request, name);
      message.channel.runtime.reporter.warn(refused);
      throw refused;
    },
  });
}

markFactories(withAllowedOrigins);
