import { checkedIds, checkId } from '../../src/check-id.js';
import type { UserRepository } from '../../src/contracts/user-repository.js';
import { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { kindOf } from '../../src/kind-of.js';
import { ignorePromise } from '../../src/maybe-promise.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';

/** Keeps users in this process. It gives out the very objects that it was given. */
export class MemoryUserRepository<User extends AuthenticatedUser = AppUser> implements UserRepository<User> {
  /** Tells of users that were replaced (by a hint), and of those that were deleted. It cannot see changes within a user's object. */
  readonly revocations: MemoryRevocationFeed = new MemoryRevocationFeed();
  readonly #users = new Map<string, User>();

  /** Begins without users. An empty list says nothing of what they will be. */
  constructor(users?: readonly []);
  /**
   * @param users the users to begin with. @default none
   * @throws {TypeError} when `users` is not iterable, or one of them is no user (as for {@link set}).
   */
  constructor(users?: Iterable<User>);
  constructor(users: Iterable<User> = []) {
    if (typeof (users as Partial<Iterable<User>> | null)?.[Symbol.iterator] !== 'function') {
      throw new TypeError(`MemoryUserRepository: users must be iterable, got ${kindOf(users)}`);
    }
    for (const user of users) this.set(user);
  }

  /**
   * Adds the user, or replaces the one with the same id.
   *
   * @throws {TypeError} when its `id` is no string or empty, or `isAuthenticated` is not `true`.
   */
  set(user: User): void {
    ignorePromise(user);
    checkId('MemoryUserRepository', 'user.id', (user as User | null | undefined)?.id);
    if (user.isAuthenticated !== true) {
      throw new TypeError(`MemoryUserRepository: user.isAuthenticated must be true, got ${kindOf(user.isAuthenticated)}`);
    }
    const isKnown = this.#users.has(user.id);
    this.#users.set(user.id, user);
    if (isKnown) this.revocations.tell({ userId: user.id, hint: true });
  }

  /**
   * Removes a user; returns whether there was one.
   *
   * @throws {TypeError} when `id` is no string or empty.
   */
  delete(id: string): boolean {
    checkId('MemoryUserRepository.delete', 'id', id);
    const isDeleted = this.#users.delete(id);
    if (isDeleted) this.revocations.tell({ userId: id });
    return isDeleted;
  }

  async findById(id: string): Promise<User | undefined> {
    checkId('MemoryUserRepository.findById', 'id', id);
    return this.#users.get(id);
  }

  async findByIds(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const found = new Map<string, User>();
    for (const id of checkedIds('MemoryUserRepository.findByIds', ids)) {
      const user = this.#users.get(id);
      if (user) found.set(id, user);
    }
    return found;
  }
}
