import { checkedRevocation } from '../../src/check-revocation.js';
import { isValidDateIfAny } from '../../src/checked-date.js';
import type { Revocation } from '../../src/contracts/revocation-feed.js';
import type { TokenId } from '../../src/token-id.js';

/** A revocation as it is sent: dates in milliseconds. */
interface RevocationMessage {
  readonly tokenId?: unknown;
  readonly userId?: unknown;
  readonly httpSessionId?: unknown;
  readonly issuedBefore?: unknown;
  readonly hint?: unknown;
}

/** @throws {TypeError} when it is no revocation. */
export function textOfRevocation(caller: string, revocation: Revocation): string {
  const checked = checkedRevocation(caller, revocation);
  const issuedBefore = 'issuedBefore' in checked ? checked.issuedBefore?.getTime() : undefined;
  return JSON.stringify({ ...checked, issuedBefore });
}

/** What `text` says; `undefined` where it is nothing that was published here. */
export function revocationOf(text: string): Revocation | undefined {
  let message: RevocationMessage | null;
  try {
    message = JSON.parse(text) as RevocationMessage | null;
  } catch {
    return undefined;
  }
  const { tokenId, userId, httpSessionId, issuedBefore, hint } = message ?? {};
  const moment = typeof issuedBefore === 'number' ? new Date(issuedBefore) : issuedBefore;
  const isReadable = isValidDateIfAny(moment);
  // one whose moment cannot be read must not end all that the user has
  const hinted = hint === true || !isReadable ? { hint: true as const } : {};
  if (typeof tokenId === 'string') return { tokenId: tokenId as TokenId, ...hinted };
  if (typeof userId === 'string') return { userId, ...(isReadable && moment != null && { issuedBefore: moment }), ...hinted };
  return typeof httpSessionId === 'string' ? { httpSessionId, ...hinted } : undefined;
}
