import { kindOf } from '../kind-of.js';
import { type CredentialSource, checkedPlace, query, reliable } from './credentials.js';

/**
 * A ticket in place of a token: a client that has logged in gets one over HTTP and opens its channel with it. It lives for seconds and can
 * be used once, so it may stand in a URL. After connect, nothing that this package hands on has it.
 *
 * Needs a `TicketStore`: the option `tickets` of the wrapper, or what is registered as `TICKET_STORE`.
 *
 * @param where the name of a parameter of the query, or another place: `subprotocol('ticket.')`. @default 'ticket'
 * @throws {TypeError} when it is neither, or is the place of a ticket already.
 */
export function ticket(where: string | CredentialSource = 'ticket'): CredentialSource {
  const place = typeof where === 'string' ? query(where) : where;
  if (typeof place?.find !== 'function' || place.presents === 'ticket') {
    const got = kindOf(where);
    throw new TypeError(`ticket: where must be a name, cookie(…), authorization(…), subprotocol(…) or query(…), got ${got}`);
  }
  return reliable({ ...checkedPlace(place), presents: 'ticket' });
}
