import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { TokenGrant, TokenRepository } from '../contracts/token-repository.js';
import type { UserRepository } from '../contracts/user-repository.js';
import type { ErrorCode } from '../outcomes.js';
import { isTokenId, type TokenId } from '../token-id.js';
import type { AuthenticatedUser, UserLike } from '../users.js';
import { checkedGrant, checkedUser } from './checked-grant.js';
import { checkedHttpSession } from './checked-http-session.js';
import { type LookUp, lookedUp } from './looked-up.js';

/** How far a chain of exchanged tokens is followed. */
export const maxSuccessors = 16;

/** What a credential is found to be when it is looked up again. One that is gone has none. */
export interface Standing extends Pick<TokenGrant, 'expiresAt' | 'revokedAt' | 'scopes' | 'successorId'> {
  /** `undefined` where the user was deleted or disabled. */
  readonly user: AuthenticatedUser | undefined;
  /** Why it counts no more, where its source says so. */
  readonly endedBy?: ErrorCode | undefined;
  /** Whether what it says nothing of is as it was. */
  readonly isPartial?: true | undefined;
}

/** What a look-up goes by that may be given up. */
export interface Aborting {
  readonly signal: AbortSignal;
}

/** What is looked up again. */
export interface Credential {
  readonly id: string;
  /** What its source wanted to be given. */
  readonly found?: unknown;
}

/** Looks up again what identified channels. */
export interface Recheck {
  /** Whether several are looked up in one batch. Otherwise it is to be asked for one at a time. */
  readonly isBatched: boolean;
  /**
   * What has become of these credentials, by their ids. Those that are gone are left out; an error means "cannot tell" of that one, a
   * rejection of all.
   *
   * @param aborting has the signal that is aborted when nobody waits for the answer any more.
   */
  ask(credentials: readonly Credential[], aborting: Aborting): Promise<ReadonlyMap<string, Standing | Error>>;
}

/**
 * What a grant says; of a `null`, as databases have it, nothing.
 *
 * @throws {TypeError} when `grant` is none.
 */
function standingOf(grant: TokenGrant<UserLike>, method: string): Standing {
  checkedGrant(grant, method);
  const { user, expiresAt, revokedAt, scopes, successorId } = grant;
  return {
    user: user == null ? undefined : checkedUser(user, method),
    expiresAt: expiresAt ?? undefined,
    revokedAt: revokedAt ?? undefined,
    scopes: scopes ?? undefined,
    successorId: successorId ?? undefined,
  };
}

/** Tokens are looked up again through their repository. */
export function tokenRecheck(tokens: TokenRepository<UserLike>): Recheck {
  const isBatched = typeof tokens.findByIds === 'function';
  const byId: LookUp<TokenId, TokenGrant<UserLike>> = {
    one: { name: 'tokens.findById', call: async (id) => tokens.findById(id) },
    many: isBatched ? { name: 'tokens.findByIds', call: async (ids) => tokens.findByIds?.(ids) } : undefined,
    isId: isTokenId,
  };
  return {
    isBatched,
    ask: async (credentials) => {
      const ids = credentials.map(({ id }) => id as TokenId);
      return lookedUp(ids, byId, standingOf);
    },
  };
}

/** Whose an HTTP session without an id is, which cannot be read again: that was said once, and stays so. */
export class LastingOwner {
  readonly userId: string;

  constructor(userId: string) {
    this.userId = userId;
  }
}

/** Sessions of the web site are read again by their ids, and their users looked up; of one without an id, its user alone. */
export function httpSessionRecheck(reader: HttpSessionReader, users: UserRepository<UserLike>): Recheck {
  const readsMany = typeof reader.readByIds === 'function';
  const byId: LookUp<string, HttpSession> = {
    one: { name: 'sessions.readById', call: async (id) => reader.readById(id) },
    many: readsMany ? { name: 'sessions.readByIds', call: async (ids) => reader.readByIds?.(ids) } : undefined,
  };
  return {
    isBatched: readsMany && typeof users.findByIds === 'function',
    ask: async (credentials) => {
      const ids = credentials.filter(({ found }) => !(found instanceof LastingOwner)).map(({ id }) => id);
      const ownerOf = (session: HttpSession, method: string): string | undefined =>
        checkedHttpSession(session, method)?.userId ?? undefined;
      const owners = await lookedUp(ids, byId, ownerOf); // without one, whoever it was has logged out
      for (const { id, found } of credentials) if (found instanceof LastingOwner) owners.set(id, found.userId);
      const userIds = new Set<string>();
      for (const owner of owners.values()) if (typeof owner === 'string') userIds.add(owner);
      const known = await lookedUpUsers([...userIds], users);
      const standings = new Map<string, Standing | Error>();
      for (const [id, owner] of owners) {
        if (owner === undefined) continue;
        const user = typeof owner === 'string' ? known.get(owner) : owner;
        standings.set(id, user instanceof Error ? user : { user });
      }
      return standings;
    },
  };
}

/** Users are looked up again by their ids, where nothing else says that they may speak. */
export function userRecheck(users: UserRepository<UserLike>): Recheck {
  return {
    isBatched: typeof users.findByIds === 'function',
    ask: async (credentials) => {
      const ids = credentials.map(({ id }) => id);
      const found = await lookedUpUsers(ids, users);
      return new Map(
        ids.map((id) => {
          const user = found.get(id);
          return [id, user instanceof Error ? user : { user }];
        }),
      );
    },
  };
}

function lookedUpUsers(ids: readonly string[], users: UserRepository<UserLike>): Promise<Map<string, AuthenticatedUser | Error>> {
  const isBatched = typeof users.findByIds === 'function';
  const byId: LookUp<string, UserLike> = {
    one: { name: 'users.findById', call: async (id) => users.findById(id) },
    many: isBatched ? { name: 'users.findByIds', call: async (some) => users.findByIds?.(some) } : undefined,
  };
  return lookedUp(ids, byId, checkedUser);
}
