import type { IncomingMessage } from 'node:http';
import { ChannelError } from '../errors.js';

/** How much of a client's header a warning repeats. */
const maxShown = 100;

function shown(header: string | undefined): string {
  const text = (header ?? '').slice(0, maxShown);
  return JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?'));
}

/** What the operator is told of a refused origin, and which option would let it in. */
export function refusedOrigin(request: IncomingMessage): ChannelError {
  const { origin, host } = request.headers;
  if (origin === undefined) {
    return new ChannelError('ERR_ORIGIN_REFUSED', 'A handshake without Origin was refused, since requireOrigin is set.');
  }
  const text =
    `A handshake from origin ${shown(origin)} to host ${shown(host)} was refused. If it is yours, list it in the option origins; behind a ` +
    'proxy that changes Host or ends TLS, set publicOrigin, or trustProxy if the proxy sets X-Forwarded-Host and X-Forwarded-Proto.';
  return new ChannelError('ERR_ORIGIN_REFUSED', text);
}
