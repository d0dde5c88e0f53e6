import { type Document, ObjectId } from 'mongodb';
import type { AppUser, AuthenticatedUser } from '../../src/users.js';
import { checkName, kindOf } from './options.js';

/** A second document about a user, joined to the first one, like the profile of a Django user. */
export interface MongoProfileOptions {
  /** The collection that holds the profiles. */
  readonly collection: string;
  /** The field of a profile that holds the key of its user, as the user has it or as a string. */
  readonly foreignField: string;
  /** The field of the user's document that gets the profile; it is left out where the user has none. @default 'profile' */
  readonly as?: string | undefined;
}

/** Holds what a query joins on; of a name that no application's document has. */
const scratch = 'wsWithScratch';

/** Where users are, and how their documents become users. */
export interface MongoUserOptions<User extends AuthenticatedUser = AppUser> {
  /** The collection that holds the users. @default 'users' */
  readonly collection?: string | undefined;
  /** The field by whose value, as a string, users are known: a string, an ObjectId or an integer. @default '_id' */
  readonly key?: string | undefined;
  /** Joins a profile to each user, in the same round trip. @default none */
  readonly profile?: MongoProfileOptions | undefined;
  /**
   * The user of a document, or `undefined` for one that was disabled.
   *
   * @default `{ ...document, id: String(document[key]), isAuthenticated: true }`, and none where `isActive` is `false`
   */
  map?(document: Document): User | undefined;
}

/** Finds users' documents from within a query and makes users of them. */
export class UserMapping<User extends AuthenticatedUser> {
  readonly collection: string;
  readonly key: string;
  readonly #profile: (MongoProfileOptions & { readonly as: string }) | undefined;
  readonly #map: ((document: Document) => User | undefined) | undefined;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(owner: string, options: MongoUserOptions<User> = {}) {
    const { collection = 'users', key = '_id', profile, map } = options;
    this.collection = checkName(owner, 'users.collection', collection);
    this.key = checkName(owner, 'users.key', key);
    if (map !== undefined && typeof map !== 'function') throw new TypeError(`${owner}: users.map must be a function, got ${kindOf(map)}`);
    this.#map = map;
    this.#profile = profile && {
      collection: checkName(owner, 'users.profile.collection', profile.collection),
      foreignField: checkName(owner, 'users.profile.foreignField', profile.foreignField),
      as: checkName(owner, 'users.profile.as', profile.as ?? 'profile'),
    };
  }

  /** The stages that add the documents of the user whose key is in `field`, as an array named `as`. */
  lookup(field: string, as: string): Document[] {
    const joined = this.join();
    return [
      { $set: { [scratch]: keysIn(`$${field}`) } },
      {
        $lookup: {
          from: this.collection,
          localField: scratch,
          foreignField: this.key,
          as,
          ...(joined.length > 0 && { pipeline: joined }),
        },
      },
      { $unset: scratch },
    ];
  }

  /** The stages that join the profile to users' documents. */
  join(): Document[] {
    if (this.#profile === undefined) return [];
    const { collection, foreignField, as } = this.#profile;
    return [
      { $set: { [scratch]: [`$${this.key}`, converted(`$${this.key}`, 'string')] } },
      { $lookup: { from: collection, localField: scratch, foreignField, as } },
      { $set: { [as]: { $ifNull: [{ $first: `$${as}` }, '$$REMOVE'] } } },
      { $unset: scratch },
    ];
  }

  /** The user with this id among `documents`, which were found under its possible keys. */
  userOf(id: string, documents: readonly Document[]): User | undefined {
    const own = documents.filter((document) => this.idOf(document) === id);
    // An id of 24 digits may be a string of one user and an ObjectId of another: the same one is taken each time.
    const document = own.find((candidate) => typeof candidate[this.key] === 'string') ?? own[0];
    if (document === undefined) return undefined;
    if (this.#map) return this.#map(document);
    if (document.isActive === false) return undefined;
    // What the application's type adds is in its documents, or it gives a `map`.
    return { ...document, id, isAuthenticated: true } as unknown as User;
  }

  idOf(document: Document): string {
    return String(document[this.key]);
  }
}

/** The values that a user's key may have in the database if its string is `id`. */
export function keysOf(id: string): (string | number | ObjectId)[] {
  const keys: (string | number | ObjectId)[] = [id];
  if (/^[0-9a-f]{24}$/.test(id)) keys.push(ObjectId.createFromHexString(id));
  if (String(Number(id)) === id && Number.isSafeInteger(Number(id))) keys.push(Number(id));
  return keys;
}

/** The same as an expression. What cannot be converted stays as it is: a null would match users without a key. */
function keysIn(input: string): Document[] {
  return [{ $ifNull: [input, '$_id'] }, converted(input, 'string'), converted(input, 'objectId'), converted(input, 'long')];
}

function converted(input: string, to: 'string' | 'objectId' | 'long'): Document {
  return { $convert: { input, to, onError: input, onNull: '$_id' } };
}
