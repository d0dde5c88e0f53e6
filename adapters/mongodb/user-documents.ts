import { types } from 'node:util';
import { type Collection, type Db, Decimal128, type Document, Long } from 'mongodb';
import { aFunction, aName, anObject, checkedOptions, checkOption, type Rule, type Rules } from '../../src/checked-options.js';
import { groupedBy } from '../../src/grouped-by.js';
import { ignorePromise } from '../../src/maybe-promise.js';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { checkDb } from './check-db.js';
import { keysOf, type UserKey, userIdOf } from './user-key.js';
import { rowsOf } from './with-pauses.js';

/** A second document about a user, joined to the first one, like the profile of a Django user. */
export interface MongoProfileOptions {
  /** The collection that holds the profiles. */
  readonly collection: string;
  /** The field of a profile that holds the key of its user, as the user has it or as a string. */
  readonly foreignField: string;
  /**
   * The field of the user's document that gets the profile, or a path, outside of `_id` and the key; it is left out if the user has none.
   *
   * @default 'profile'
   */
  readonly as?: string | undefined;
}

/** Where users are, and how their documents become users. */
export interface MongoUserOptions<User extends AuthenticatedUser = AppUser> {
  /** The collection that holds the users. @default 'users' */
  readonly collection?: string | undefined;
  /**
   * The field, at the top of the document, that holds the user's key: a string, an ObjectId or an integer. As a string, it is the user's
   * `id`.
   *
   * @default '_id'
   */
  readonly key?: string | undefined;
  /** Joins a profile to each user, in the same round trip. @default none */
  readonly profile?: MongoProfileOptions | undefined;
  /**
   * The user of a document, or `undefined` for one that was disabled.
   *
   * @default `{ ...document, id: String(document[key]), isAuthenticated: true }`, or `undefined` if `isActive` is `false` or 0
   */
  map?(document: Document): User | undefined;
}

/** What is read off a document as one of its own members: a path into it would find nothing there. */
const aField: Rule = {
  must: 'the name of a field, without dots and with no $ before it',
  accepts: (value) => aName.accepts(value) && /^[^$.][^.]*$/.test(value as string),
};

/** What they must be. */
export const userRules: Rules<MongoUserOptions> = { collection: aName, key: aField, profile: anObject, map: aFunction };
const profileRules: Rules<MongoProfileOptions> = { collection: aName, foreignField: aName, as: aName };

type Profile = MongoProfileOptions & { readonly as: string };

function checkedProfile(owner: string, given: MongoProfileOptions, key: string): Profile {
  const profile = checkedOptions(owner, given, profileRules, 'collection', 'foreignField');
  const { as = 'profile' } = profile;
  const [top = '', ...within] = as.split('.');
  checkOption(owner, 'as', as, {
    must: `a field, or a path of fields with no $ before any, that is neither _id nor the user's key nor in one of them`,
    accepts: () => top !== '_id' && top !== key && [top, ...within].every(aField.accepts),
  });
  return { ...profile, as };
}

/** What `map` made of a document. @throws {TypeError} when it is a promise, which nobody waits for. */
function mapped<User>(user: User): User {
  if (!types.isPromise(user)) return user;
  ignorePromise(user);
  throw new TypeError('users.map must return a user at once, got a promise');
}

/** What came from a table of SQL says 0 for `false`, in whatever kind of number. */
function isDisabled({ isActive }: Document): boolean {
  if (Long.isLong(isActive) || isActive instanceof Decimal128) return Number(isActive.toString()) === 0;
  return isActive === false || isActive === 0 || isActive === 0n;
}

/** Holds what the profile is joined on; of a name that no application's document has. */
const scratch = 'wsWithProfileKeys';

/** Finds the documents of users, from within a query of others too, and makes users of them. */
export class UserDocuments<User extends AuthenticatedUser> {
  readonly collection: Collection;
  readonly key: string;
  readonly #profile: Profile | undefined;
  readonly #map: ((document: Document) => User | undefined) | undefined;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(owner: string, db: Db, options: MongoUserOptions<User> = {}) {
    const { collection = 'users', key = '_id', profile, map } = checkedOptions(owner, options, userRules);
    this.collection = checkDb(owner, db).collection(collection);
    this.key = key;
    this.#map = map;
    this.#profile = profile && checkedProfile(`${owner}.profile`, profile, key);
  }

  /**
   * The stage that adds the documents of the user whose key is in `localField`, as an array. It converts no types: behind a stage that
   * does, the server needs five times as long for the whole query.
   */
  lookup(localField: string, as: string): Document {
    const pipeline = this.#join();
    return {
      $lookup: { from: this.collection.collectionName, localField, foreignField: this.key, as, ...(pipeline.length > 0 && { pipeline }) },
    };
  }

  /** The documents that may be these users', by id. */
  async find(ids: readonly string[], signal: AbortSignal): Promise<Map<string, Document[]>> {
    const keys = ids.flatMap(keysOf);
    const pipeline = [{ $match: { [this.key]: { $in: keys } } }, ...this.#join()];
    // with room for one more than can come, the server is done with the first reply
    const options = { signal, readPreference: 'primary', batchSize: keys.length + 1 } as const;
    return groupedBy(await rowsOf(this.collection.aggregate(pipeline, options)), (document) => this.#idOf(document));
  }

  /** The keys of these users as their documents have them, by id; those without a document are left out. A disabled one has a document. */
  async keysOf(ids: readonly string[], signal: AbortSignal): Promise<Map<string, UserKey>> {
    const keys = new Map<string, UserKey>();
    for (const [id, documents] of await this.find(ids, signal)) {
      const key: UserKey | undefined = this.#pick(id, documents)?.[this.key];
      if (key !== undefined) keys.set(id, key);
    }
    return keys;
  }

  /**
   * The user with this id, or `undefined`; an error where the documents make none.
   *
   * @param documents what was found under its key.
   */
  userOf(id: string, documents: readonly Document[]): User | Error | undefined {
    const document = this.#pick(id, documents);
    if (document === undefined) return undefined;
    try {
      if (this.#map) return mapped(this.#map(document));
    } catch (error) {
      return error instanceof Error ? error : new Error('users.map threw something that is no Error.', { cause: error });
    }
    if (isDisabled(document)) return undefined;
    // what the application's type adds is in its documents, or it gives a `map`
    return { ...document, id, isAuthenticated: true } as unknown as User;
  }

  /** An id of 24 digits may be a string of one user and an ObjectId of another: the same one is taken each time. */
  #pick(id: string, documents: readonly Document[]): Document | undefined {
    const own = documents.filter((document) => this.#idOf(document) === id);
    return own.find((document) => typeof document[this.key] === 'string') ?? own[0];
  }

  #idOf(document: Document): string | undefined {
    return userIdOf(document[this.key]);
  }

  /** The stages that join the profile to users' documents, which may have the user's key as it is or as a string. */
  #join(): Document[] {
    if (this.#profile === undefined) return [];
    const { collection, foreignField, as } = this.#profile;
    const key = `$${this.key}`;
    return [
      { $set: { [scratch]: [key, { $convert: { input: key, to: 'string', onError: key, onNull: '$_id' } }] } },
      { $lookup: { from: collection, localField: scratch, foreignField, as } },
      { $set: { [as]: { $ifNull: [{ $first: `$${as}` }, '$$REMOVE'] } } },
      { $unset: scratch },
    ];
  }
}
