import { isValidDate } from '../../src/checked-date.js';
import type { Revocation } from '../../src/contracts/revocation-feed.js';
import { kindOf } from '../../src/kind-of.js';
import type { TokenId } from '../../src/token-id.js';

/** A revocation as it is sent: dates in milliseconds. */
interface RevocationMessage {
  readonly tokenId?: unknown;
  readonly userId?: unknown;
  readonly httpSessionId?: unknown;
  readonly issuedBefore?: unknown;
  readonly hint?: unknown;
}

/** @throws {TypeError} when it is no revocation: it would be told to nobody. */
export function textOfRevocation(caller: string, revocation: Revocation): string {
  const { tokenId, userId, httpSessionId, issuedBefore, hint } = ((revocation as Revocation | null) ?? {}) as RevocationMessage;
  const given = Object.entries({ tokenId, userId, httpSessionId }).filter(([, id]) => id !== undefined);
  const [named] = given;
  if (named === undefined || given.length > 1 || typeof named[1] !== 'string' || named[1] === '') {
    throw new TypeError(`${caller}: revocation must name one token, user or HTTP session by its id, got ${kindOf(named?.[1])}`);
  }
  if (issuedBefore !== undefined && !isValidDate(issuedBefore)) {
    throw new TypeError(`${caller}: issuedBefore must be a valid Date, got ${kindOf(issuedBefore)}`);
  }
  return JSON.stringify({ [named[0]]: named[1], issuedBefore: issuedBefore?.getTime(), hint: hint === true ? true : undefined });
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
  const hinted = hint === true ? { hint: true as const } : {};
  if (typeof tokenId === 'string') return { tokenId: tokenId as TokenId, ...hinted };
  if (typeof userId === 'string') {
    return { userId, ...(typeof issuedBefore === 'number' && { issuedBefore: new Date(issuedBefore) }), ...hinted };
  }
  return typeof httpSessionId === 'string' ? { httpSessionId, ...hinted } : undefined;
}
