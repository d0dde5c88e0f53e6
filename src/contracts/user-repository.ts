import type { AppUser, AuthenticatedUser } from '../users.js';

/**
 * Finds users by id. A rejection means "cannot tell"; it never makes a user anonymous. An id that is no string, or empty, rejects with a
 * `TypeError` before anything is asked.
 */
export interface UserRepository<User extends AuthenticatedUser = AppUser> {
  /** After how many milliseconds the repository itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The user, or `undefined` where there is none or it was disabled. */
  findById(id: string): Promise<User | undefined>;
  /** The same for several at once; ids without a user are left out of the map. */
  findByIds?(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
}
