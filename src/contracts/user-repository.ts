import type { AppUser, UserLike } from '../users.js';
import type { RevocationFeed } from './revocation-feed.js';

/**
 * Finds users by id. A rejection means "cannot tell"; it never makes a user anonymous. An id that is not a string, or is empty, rejects
 * with a `TypeError` before anything is asked.
 */
export interface UserRepository<User extends UserLike = AppUser> {
  /** After how many milliseconds the repository itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The user, or `undefined` if there is none or it was disabled. */
  findById(id: string): Promise<User | undefined>;
  /** The same for several at once; ids without a user are left out of the map. */
  findByIds?(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
  /**
   * Tells of the users that this process itself changes or ends through this repository. A server listens to it beside its option
   * `revocations`.
   */
  readonly revocations?: RevocationFeed | undefined;
}
