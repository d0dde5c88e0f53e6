import type { AppUser, UserLike } from '../users.js';
import type { RevocationFeed } from './revocation-feed.js';

/**
 * Finds users by id. A rejection means "cannot tell"; it never makes a user anonymous. An id that is no string, or empty, rejects with a
 * `TypeError` before anything is asked.
 */
export interface UserRepository<User extends UserLike = AppUser> {
  /** After how many milliseconds the repository itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The user, or `undefined` where there is none or it was disabled. */
  findById(id: string): Promise<User | undefined>;
  /** The same for several at once; ids without a user are left out of the map. */
  findByIds?(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
  /** Tells of the users that this process itself changes or ends through this repository; a server listens to it besides its `revocations`. */
  readonly revocations?: RevocationFeed | undefined;
}
