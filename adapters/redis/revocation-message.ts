import type { Revocation } from '../../src/contracts/revocation-feed.js';
import { checkedRevocation, receivedRevocation } from '../../src/feeds/checked-revocation.js';

/** @throws {TypeError} when it is no revocation. */
export function textOfRevocation(caller: string, revocation: Revocation): string {
  const checked = checkedRevocation(caller, revocation);
  const issuedBefore = 'issuedBefore' in checked ? checked.issuedBefore?.getTime() : undefined;
  return JSON.stringify({ ...checked, issuedBefore });
}

/**
 * What `text` says. Dates are sent in milliseconds.
 *
 * @throws {Error} when it is no revocation; then it may have meant anything.
 */
export function revocationOf(text: string): Revocation {
  const message = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
  const issuedBefore = message?.['issuedBefore'];
  return receivedRevocation('a published revocation', {
    ...message,
    issuedBefore: typeof issuedBefore === 'number' ? new Date(issuedBefore) : issuedBefore,
  });
}
