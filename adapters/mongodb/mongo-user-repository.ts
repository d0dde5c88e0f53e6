import type { Db } from 'mongodb';
import { checkedIds, checkId } from '../../src/check-id.js';
import { checkedOptions } from '../../src/checked-options.js';
import type { UserRepository } from '../../src/contracts/user-repository.js';
import { timedRules } from '../../src/time/timed-options.js';
import { unreadable, withUnreadable } from '../../src/unreadable.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { Batches } from './batches.js';
import { Operations } from './operations.js';
import type { MongoOptions } from './options.js';
import { type MongoUserOptions, UserDocuments, userRules } from './user-documents.js';
import { forEachWithPauses } from './with-pauses.js';

/** Options of {@link MongoUserRepository}. */
export interface MongoUserRepositoryOptions<User extends AuthenticatedUser = AppUser> extends MongoOptions, MongoUserOptions<User> {}

const owner = 'MongoUserRepository';

/** Finds users in MongoDB. Look-ups that arrive together share a query. Rejects with a `TimeoutError` after `timeoutMs`. */
export class MongoUserRepository<User extends AuthenticatedUser = AppUser> implements UserRepository<User> {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #documents: UserDocuments<User>;
  readonly #operations: Operations;
  readonly #lookups: Batches<User>;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoUserRepositoryOptions<User> = {}) {
    const { timeoutMs, clock, ...users } = checkedOptions(owner, options, { ...timedRules, ...userRules });
    this.#documents = new UserDocuments(owner, db, users);
    this.#operations = new Operations({ timeoutMs, clock });
    this.timeoutMs = this.#operations.timeoutMs;
    this.#lookups = new Batches(this.#operations, 'find users', (ids, signal) => this.#query(ids, signal));
  }

  async findById(id: string): Promise<User | undefined> {
    checkId(`${owner}.findById`, 'id', id);
    return this.#operations.run('find a user', (signal) => this.#lookups.ask(id, signal));
  }

  /**
   * As the contract says. A user that cannot be read fails alone: it throws where its id is read. If none of them can be read, it rejects.
   */
  async findByIds(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const checked = checkedIds(`${owner}.findByIds`, ids);
    const answer = await this.#lookups.askAll(checked, (user) => user);
    return withUnreadable(checked, answer, (_id, error) => unreadable<User>({}, 'id', error));
  }

  async #query(ids: readonly string[], signal: AbortSignal): Promise<Map<string, User | Error>> {
    const users = new Map<string, User | Error>();
    await forEachWithPauses([...(await this.#documents.find(ids, signal))], ([id, documents]) => {
      const found = this.#documents.userOf(id, documents);
      if (found !== undefined) users.set(id, found);
    });
    return users;
  }
}
