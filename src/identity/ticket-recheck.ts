import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { TokenRepository } from '../contracts/token-repository.js';
import type { UserRepository } from '../contracts/user-repository.js';
import { missing } from '../dependencies.js';
import type { UserLike } from '../users.js';
import { lookUpFailed } from './bounded-look-up.js';
import { type Aborting, httpSessionRecheck, type Recheck, type Standing, tokenRecheck, userRecheck } from './recheck.js';

/** Whom what tickets were exchanged for is looked up through. */
export interface TicketRepositories {
  /** `undefined` where there is none: then no ticket of a token counts. */
  readonly tokens: TokenRepository<UserLike> | undefined;
  /** `undefined` where there is none: then tickets of tokens alone count. */
  readonly users: UserRepository<UserLike> | undefined;
  /** `undefined` where there is none: then sessions are not read again, and end channels through the feed of revocations alone. */
  readonly sessions: HttpSessionReader | undefined;
}

/** Tokens have ids without a blank, so no two kinds are mistaken for each other. */
const ofHttpSession = 'http-session ';
const ofUser = 'user ';

/** The id under which an HTTP session is looked up again that a ticket was exchanged for. */
export function idOfHttpSession(id: string): string {
  return `${ofHttpSession}${id}`;
}

/** The id under which a user is looked up again whom a ticket names alone. */
export function idOfUser(id: string): string {
  return `${ofUser}${id}`;
}

interface Kind {
  readonly prefix: string;
  readonly recheck: Recheck | undefined;
  /** What it cannot be looked up without. */
  readonly lacks: () => Error;
}

/**
 * Looks up again what tickets were exchanged for: tokens, HTTP sessions and users.
 *
 * @param owner whom errors name.
 */
export function recheckOfTickets(owner: string, { tokens, users, sessions }: TicketRepositories): Recheck {
  const lacksUsers = (): Error => missing({ wrapper: owner, option: 'users', token: 'USER_REPOSITORY', method: 'findById' });
  const kinds: readonly [Kind, Kind, Kind] = [
    { prefix: ofHttpSession, recheck: sessions && users && httpSessionRecheck(sessions, users), lacks: lacksUsers },
    { prefix: ofUser, recheck: users && userRecheck(users), lacks: lacksUsers },
    {
      prefix: '',
      recheck: tokens && tokenRecheck(tokens),
      lacks: () => missing({ wrapper: owner, option: 'tokens', token: 'TOKEN_REPOSITORY', method: 'findById' }),
    },
  ];
  return {
    isBatched: kinds.every(({ recheck }) => recheck?.isBatched !== false),
    ask: async (credentials, aborting) => {
      const left = new Set(credentials.map(({ id }) => id));
      const standings = new Map<string, Standing | Error>();
      const asked = kinds.flatMap((kind) => {
        const own = [...left].filter((id) => id.startsWith(kind.prefix));
        for (const id of own) left.delete(id);
        return own.length === 0 ? [] : [askKind(kind, own, standings, aborting)];
      });
      await Promise.all(asked);
      return standings;
    },
  };
}

/** Notes how those of one kind stand. Of one kind it may be told while it cannot of another. */
async function askKind(
  { prefix, recheck, lacks }: Kind,
  ids: readonly string[],
  standings: Map<string, Standing | Error>,
  aborting: Aborting,
): Promise<void> {
  try {
    if (recheck === undefined) throw lacks();
    const credentials = ids.map((id) => ({ id: id.slice(prefix.length) }));
    for (const [id, standing] of await recheck.ask(credentials, aborting)) standings.set(`${prefix}${id}`, standing);
  } catch (error) {
    for (const id of ids) standings.set(id, lookUpFailed(error));
  }
}
