import { checkedTime } from '../../src/checked-date.js';
import { copyOfScopes, issueRules } from '../../src/checked-issue-options.js';
import { anything, checkedOptions } from '../../src/checked-options.js';
import type { ExtendOptions, IssueOptions, RotateOptions, TokenGrant, TokenInfo } from '../../src/contracts/token-repository.js';
import type { TokenId } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';

/** Options of {@link MemoryTokenRepository.add}: what happened to the token before. */
export interface AddTokenOptions extends IssueOptions {
  /** When it was issued. @default now */
  readonly createdAt?: Date | undefined;
  /** When it expires or has expired. @default it never expires */
  readonly expiresAt?: Date | undefined;
  /** When it was revoked. @default it was not */
  readonly revokedAt?: Date | undefined;
}

/** A token as it is kept, times in milliseconds since the epoch. */
export interface MemoryToken {
  readonly id: TokenId;
  readonly userId: string;
  readonly label: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly createdAt: number;
  expiresAt: number | undefined;
  /** Where it was rotated: when its key ceases to work, if not before. */
  graceEndsAt: number | undefined;
  /** What it was rotated into, the last time. */
  successorId: TokenId | undefined;
  /** The first of the tokens that were rotated into one another; `undefined` where none was. */
  chainId: TokenId | undefined;
  /** When that one was issued. */
  readonly chainStartedAt: number;
  revokedAt: number | undefined;
  lastUsedAt: number | undefined;
}

/** When the token expires; `undefined` where it never does. */
export function endOf({ expiresAt, graceEndsAt }: Pick<MemoryToken, 'expiresAt' | 'graceEndsAt'>): number | undefined {
  return graceEndsAt === undefined ? expiresAt : Math.min(graceEndsAt, expiresAt ?? graceEndsAt);
}

/** Whether the token had expired or was revoked at `time`. */
export function isOver(token: MemoryToken, time: number): boolean {
  const end = endOf(token);
  return (end !== undefined && end <= time) || (token.revokedAt !== undefined && token.revokedAt <= time);
}

/**
 * The token that these options describe.
 *
 * @throws {TypeError} when one of them is out of its range.
 */
export function tokenOf(owner: string, id: TokenId, userId: string, options: AddTokenOptions, now: number): MemoryToken {
  const rules = { ...issueRules(now), createdAt: anything, expiresAt: anything, revokedAt: anything }; // dates are looked at below
  const { label, scopes, ttlMs, ...given } = checkedOptions<AddTokenOptions>(owner, options, rules);
  if (ttlMs !== undefined && given.expiresAt !== undefined) {
    throw new TypeError(`${owner}: ttlMs must be absent where expiresAt is given, got both`);
  }
  const createdAt = timeOf(owner, 'createdAt', given.createdAt) ?? now;
  return {
    id,
    userId,
    label,
    scopes: copyOfScopes(scopes),
    createdAt,
    graceEndsAt: undefined,
    successorId: undefined,
    chainId: undefined,
    chainStartedAt: createdAt,
    expiresAt: ttlMs === undefined ? timeOf(owner, 'expiresAt', given.expiresAt) : now + ttlMs,
    revokedAt: timeOf(owner, 'revokedAt', given.revokedAt),
    lastUsedAt: undefined,
  };
}

/** A token in place of `old`, which is marked as rotated; `undefined` where its chain is too old. */
export function successorOf(old: MemoryToken, id: TokenId, options: RotateOptions, now: number): MemoryToken | undefined {
  const { graceMs, ttlMs, maxAgeMs = Number.POSITIVE_INFINITY } = options;
  const latest = old.chainStartedAt + maxAgeMs;
  if (latest <= now) return undefined;
  const end = Math.min(latest, (ttlMs === undefined ? old.expiresAt : now + ttlMs) ?? Number.POSITIVE_INFINITY);
  old.chainId ??= old.id;
  old.graceEndsAt = Math.min(old.graceEndsAt ?? Number.POSITIVE_INFINITY, now + graceMs);
  old.successorId = id;
  return {
    ...old,
    id,
    createdAt: now,
    expiresAt: end === Number.POSITIVE_INFINITY ? undefined : end,
    graceEndsAt: undefined,
    successorId: undefined,
    lastUsedAt: undefined,
  };
}

/** Gives the token another end, unless that would be an earlier one, or it was rotated. */
export function lengthen(token: MemoryToken, { ttlMs, maxAgeMs = Number.POSITIVE_INFINITY }: ExtendOptions, now: number): void {
  if (token.expiresAt === undefined || token.graceEndsAt !== undefined) return;
  token.expiresAt = Math.max(token.expiresAt, Math.min(now + ttlMs, token.chainStartedAt + maxAgeMs));
}

function timeOf(owner: string, name: string, date: Date | undefined): number | undefined {
  return date === undefined ? undefined : checkedTime(owner, name, date);
}

/** What a repository says of the token. */
export function grantOf<User extends AuthenticatedUser>(token: MemoryToken, user: User | undefined): TokenGrant<User> {
  const { id, revokedAt, scopes, successorId } = token;
  return {
    id,
    user,
    ...dates({ expiresAt: endOf(token), revokedAt }),
    ...(scopes ? { scopes } : {}),
    ...(successorId ? { successorId } : {}),
  };
}

/** What an issuer tells of the token. */
export function infoOf(token: MemoryToken): TokenInfo {
  const { id, userId, label, scopes, createdAt, lastUsedAt } = token;
  return {
    id,
    userId,
    ...(label === undefined ? {} : { label }),
    ...(scopes ? { scopes } : {}),
    createdAt: new Date(createdAt),
    ...dates({ expiresAt: endOf(token), lastUsedAt }),
  };
}

/** Fresh dates of the times that are there. */
function dates<Name extends string>(times: Readonly<Record<Name, number | undefined>>): { [Each in Name]?: Date } {
  const result: { [Each in Name]?: Date } = {};
  for (const name of Object.keys(times) as Name[]) {
    const time = times[name];
    if (time !== undefined) result[name] = new Date(time);
  }
  return result;
}
