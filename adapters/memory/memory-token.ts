import { checkIssueOptions } from '../../src/check-issue-options.js';
import { checkedDate } from '../../src/checked-date.js';
import type { IssueOptions, TokenGrant, TokenInfo } from '../../src/contracts/token-repository.js';
import type { TokenId } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';

/** Options of {@link MemoryTokenRepository.add}: a token that was issued elsewhere has a past. */
export interface AddTokenOptions extends IssueOptions {
  /** When it was issued. @default now */
  readonly createdAt?: Date | undefined;
  /** When it expires, or did; in place of `ttlMs`, which counts from now. @default it never expires */
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
  readonly expiresAt: number | undefined;
  revokedAt: number | undefined;
  lastUsedAt: number | undefined;
}

/** Whether the token had expired or was revoked at `time`. */
export function isOver(token: MemoryToken, time: number): boolean {
  return (token.expiresAt !== undefined && token.expiresAt <= time) || (token.revokedAt !== undefined && token.revokedAt <= time);
}

/**
 * The token that these options describe.
 *
 * @throws {TypeError} when one of them is out of its range.
 */
export function tokenOf(owner: string, id: TokenId, userId: string, options: AddTokenOptions, now: number): MemoryToken {
  const { label, scopes, ttlMs } = checkIssueOptions(owner, options, now);
  if (ttlMs !== undefined && options.expiresAt !== undefined) {
    throw new TypeError(`${owner}: ttlMs must be absent where expiresAt is given, got both`);
  }
  return {
    id,
    userId,
    label,
    scopes,
    createdAt: timeOf(owner, 'createdAt', options.createdAt) ?? now,
    expiresAt: ttlMs === undefined ? timeOf(owner, 'expiresAt', options.expiresAt) : now + ttlMs,
    revokedAt: timeOf(owner, 'revokedAt', options.revokedAt),
    lastUsedAt: undefined,
  };
}

function timeOf(owner: string, name: string, date: Date | undefined): number | undefined {
  return date === undefined ? undefined : checkedDate(owner, name, date).getTime();
}

/** What a repository says of the token. */
export function grantOf<User extends AuthenticatedUser>(token: MemoryToken, user: User | undefined): TokenGrant<User> {
  const { id, expiresAt, revokedAt, scopes } = token;
  return { id, user, ...dates({ expiresAt, revokedAt }), ...(scopes ? { scopes } : {}) };
}

/** What an issuer tells of the token. */
export function infoOf(token: MemoryToken): TokenInfo {
  const { id, userId, label, scopes, createdAt, expiresAt, lastUsedAt } = token;
  return {
    id,
    userId,
    ...(label === undefined ? {} : { label }),
    ...(scopes ? { scopes } : {}),
    createdAt: new Date(createdAt),
    ...dates({ expiresAt, lastUsedAt }),
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
