import { checkId } from '../check-id.js';
import { checkedDate, isValidDateIfAny } from '../checked-date.js';
import { havingNotAsClient, type Rule } from '../checked-options.js';
import type { Revocation } from '../contracts/revocation-feed.js';
import { kindOf } from '../kind-of.js';
import { checkTokenId } from '../token-id.js';

/** What an option must be that takes a feed. */
export const aRevocationFeed: Rule = havingNotAsClient('a RevocationFeed', 'new RedisRevocationFeed(client)', 'subscribe');

const kinds = ['tokenId', 'userId', 'httpSessionId'] as const;

/**
 * A checked copy of what is to be published. Unknown members are left out, and `null` is as good as nothing.
 *
 * @param owner what was called, e.g. `'MyFeed.publish'`.
 * @throws {TypeError} when it names none, or more than one, or `issuedBefore` is no valid `Date`: it would be told to nobody, or end more
 * than it should.
 */
export function checkedRevocation(owner: string, revocation: unknown): Revocation {
  const members = (revocation ?? {}) as { readonly [Name in (typeof kinds)[number] | 'issuedBefore' | 'hint']?: unknown };
  const [kind, ...others] = kinds.filter((name) => members[name] != null);
  if (kind === undefined || others.length > 0) {
    const got = kind === undefined ? kindOf(revocation) : `both ${[kind, ...others].join(' and ')}`;
    throw new TypeError(`${owner}: revocation must name one token, user or HTTP session by its id, got ${got}`);
  }
  const { tokenId, userId, httpSessionId, issuedBefore } = members;
  const hint = members.hint === true ? { hint: true as const } : {};
  if (kind === 'tokenId') {
    checkTokenId(owner, kind, tokenId);
    return { tokenId, ...hint };
  }
  if (kind === 'httpSessionId') {
    checkId(owner, kind, httpSessionId);
    return { httpSessionId, ...hint };
  }
  checkId(owner, kind, userId);
  const before = issuedBefore == null ? {} : { issuedBefore: checkedDate(owner, 'issuedBefore', issuedBefore) };
  return { userId, ...before, ...hint };
}

/**
 * A revocation as it came over the line or out of a database. One whose moment cannot be read must not end all that
 * the user has: it is a hint.
 *
 * @throws {TypeError} when it is none; then it may have meant anything.
 */
export function receivedRevocation(owner: string, received: unknown): Revocation {
  const { tokenId, userId, httpSessionId, issuedBefore, hint } = (received ?? {}) as { readonly [name: string]: unknown };
  const isReadable = isValidDateIfAny(issuedBefore);
  return checkedRevocation(owner, {
    tokenId,
    userId,
    httpSessionId,
    issuedBefore: isReadable ? issuedBefore : undefined,
    hint: hint === true || !isReadable,
  });
}
