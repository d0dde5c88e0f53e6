import type { Collection, Db, Document } from 'mongodb';
import type { UserRepository } from '../../src/contracts/user-repository.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { Batches, maxBatchSize } from './batches.js';
import { Operations } from './operations.js';
import { checkDb, type MongoOptions } from './options.js';
import { keysOf, type MongoUserOptions, UserMapping } from './users.js';

/** Options of {@link MongoUserRepository}. */
export interface MongoUserRepositoryOptions<User extends AuthenticatedUser = AppUser> extends MongoOptions, MongoUserOptions<User> {}

/** Finds users in MongoDB. Look-ups that arrive together share a query. Rejects with a `TimeoutError` after `timeoutMs`. */
export class MongoUserRepository<User extends AuthenticatedUser = AppUser> implements UserRepository<User> {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #documents: Collection;
  readonly #mapping: UserMapping<User>;
  readonly #operations: Operations;
  readonly #lookups: Batches<User>;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoUserRepositoryOptions<User> = {}) {
    const owner = 'MongoUserRepository';
    this.#mapping = new UserMapping(owner, options);
    this.#documents = checkDb(owner, db).collection(this.#mapping.collection);
    this.#operations = new Operations(owner, options);
    this.timeoutMs = this.#operations.timeoutMs;
    this.#lookups = new Batches((ids) => this.#operations.run('find users', (signal) => this.#query(ids, signal)));
  }

  async findById(id: string): Promise<User | undefined> {
    return this.#operations.run('find a user', (signal) => this.#lookups.find(id, signal));
  }

  async findByIds(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const users = new Map<string, User>();
    for (let start = 0; start < ids.length; start += maxBatchSize) {
      const some = ids.slice(start, start + maxBatchSize);
      for (const [id, found] of await this.#operations.run('find users', (signal) => this.#query(some, signal))) {
        if (found instanceof Error) throw found;
        users.set(id, found);
      }
    }
    return users;
  }

  async #query(ids: readonly string[], signal: AbortSignal): Promise<Map<string, User | Error>> {
    const keys = ids.flatMap(keysOf);
    const pipeline = [{ $match: { [this.#mapping.key]: { $in: keys } } }, ...this.#mapping.join()];
    const options = { signal, readPreference: 'primary', batchSize: keys.length + 1 } as const;
    const documents = await this.#documents.aggregate(pipeline, options).toArray();
    const byId = groupById(documents, this.#mapping);
    const users = new Map<string, User | Error>();
    for (const id of ids) {
      const found = this.#userOf(id, byId.get(id) ?? []);
      if (found !== undefined) users.set(id, found);
    }
    return users;
  }

  /** An error is that of one user: the others of the batch are none the worse for it. */
  #userOf(id: string, documents: readonly Document[]): User | Error | undefined {
    try {
      return this.#mapping.userOf(id, documents);
    } catch (error) {
      return error instanceof Error ? error : new Error('map threw something that is no Error.', { cause: error });
    }
  }
}

function groupById(documents: readonly Document[], mapping: UserMapping<AuthenticatedUser>): Map<string, Document[]> {
  const groups = new Map<string, Document[]>();
  for (const document of documents) {
    const id = mapping.idOf(document);
    const group = groups.get(id);
    if (group) group.push(document);
    else groups.set(id, [document]);
  }
  return groups;
}
