import type { IncomingMessage } from 'node:http';
import { ChannelError } from './errors.js';
import { hostOf, isCrossSite, isListable } from './origin.js';

/** How much of a client's header a warning repeats where nobody could paste it into an option. */
const maxShown = 100;

function shown(header: string): string {
  const text = header.slice(0, maxShown);
  return JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?'));
}

/** What the operator is told of a refused origin, and which option would let it in. */
export function refusedOrigin(request: IncomingMessage): ChannelError {
  return new ChannelError('ERR_ORIGIN_REFUSED', textFor(request));
}

/** The same where `wrapper` refused it, which has a list of its own. */
export function unlistedOrigin(request: IncomingMessage, wrapper: string): ChannelError {
  const { origin } = request.headers;
  const text =
    origin === undefined || !isListable(origin)
      ? textFor(request)
      : `A handshake from origin ${JSON.stringify(origin)} was refused by ${wrapper}. If it is yours, add it to the list of ${wrapper}.`;
  return new ChannelError('ERR_ORIGIN_REFUSED', text);
}

function textFor(request: IncomingMessage): string {
  const { origin } = request.headers;
  const host = hostOf(request);
  if (origin === undefined) return isCrossSite(request) ? textForCrossSite(request) : missingText;
  if (!isListable(origin)) {
    return `A handshake from origin ${shown(origin)} to host ${shown(host)} was refused: that is no origin, and no option lets it in.`;
  }
  const warning = origin === 'null' ? ' (every sandboxed page sends this one, whosever it is)' : '';
  return (
    `A handshake from origin ${JSON.stringify(origin)} to host ${shown(host)} was refused. If it is yours, list it in the option ` +
    `origins${warning}; behind a proxy that changes Host or ends TLS, set publicOrigin to it, or trustProxy if the proxy sets ` +
    'X-Forwarded-Host and X-Forwarded-Proto.'
  );
}

const missingText =
  'A handshake without Origin was refused, since requireOrigin is set: leave requireOrigin out (false) to let native clients in, which send none.';

function textForCrossSite(request: IncomingMessage): string {
  return (
    `A handshake without Origin to host ${shown(hostOf(request))} was refused, since its Sec-Fetch-Site is ` +
    `${shown(String(request.headers['sec-fetch-site']))}: a browser sent it for a page of another origin, and a proxy has taken its Origin away. ` +
    'Let the proxy pass Origin on; if that page is yours, list its origin in the option origins.'
  );
}
