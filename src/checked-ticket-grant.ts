import { types } from 'node:util';
import { checkId } from './check-id.js';
import { checkedDate } from './checked-date.js';
import type { TicketGrant } from './contracts/ticket-store.js';
import { kindOf } from './kind-of.js';
import { checkTokenId } from './token-id.js';

/**
 * A checked, frozen copy of what a ticket stands for. Adapters call it for what they keep and for what they give back. Unknown members are
 * left out.
 *
 * @param owner what was called, e.g. `'MyTicketStore.issue'`.
 * @throws {TypeError} when `grant` is not an object, a member is not what it must be, or it names no user.
 */
export function checkedTicketGrant(owner: string, grant: unknown): TicketGrant {
  if (typeof grant !== 'object' || grant === null || Array.isArray(grant) || types.isPromise(grant)) {
    throw new TypeError(`${owner}: grant must be an object with a userId, got ${kindOf(grant)}`);
  }
  const { userId, tokenId, expiresAt, httpSessionId } = grant as Readonly<Partial<Record<keyof TicketGrant, unknown>>>;
  checkId(owner, 'grant.userId', userId);
  if (tokenId != null) checkTokenId(owner, 'grant.tokenId', tokenId);
  if (httpSessionId != null) checkId(owner, 'grant.httpSessionId', httpSessionId);
  return Object.freeze({
    userId,
    ...(tokenId != null && { tokenId }),
    ...(expiresAt != null && { expiresAt: checkedDate(owner, 'grant.expiresAt', expiresAt) }),
    ...(httpSessionId != null && { httpSessionId }),
  });
}
