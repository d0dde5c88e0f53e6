import type { ChangeStreamDocument, ChangeStreamOptions, Collection, Db } from 'mongodb';
import { aName, anObject, checkedOptions, checkOption, isListOf, type Rules } from '../../src/checked-options.js';
import type { FeedHealth, Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { checkedRevocation } from '../../src/feeds/checked-revocation.js';
import { type SharedSubscription, Subscribers } from '../../src/feeds/subscribers.js';
import { warningOfUnreadable } from '../../src/feeds/unreadable-messages.js';
import { timedRules } from '../../src/time/timed-options.js';
import { ChangeFollower } from './change-follower.js';
import { checkDb } from './check-db.js';
import { Operations } from './operations.js';
import { byMajority, type MongoOptions } from './options.js';
import { gap, type PublishedRevocation, revocationOf, stagesFor, type WatchedCollections } from './revocation-changes.js';
import type { MongoUserOptions } from './user-documents.js';

/** Options of {@link MongoRevocationFeed}: which collections of the database it watches. */
export interface MongoRevocationFeedOptions extends MongoOptions {
  /** The collection that holds the tokens. @default 'tokens' */
  readonly tokens?: string | undefined;
  /** Where the users are. @default { collection: 'users', key: '_id' } */
  readonly users?: Pick<MongoUserOptions, 'collection' | 'key'> | undefined;
  /** Fields of users, with all that is in them, whose changes do not matter to channels, e.g. `['lastSeenAt']`. @default none */
  readonly ignoredUserFields?: readonly string[] | undefined;
  /** The collection of HTTP sessions whose `_id` is the session's id, as connect-mongo keeps them. @default none is watched */
  readonly httpSessions?: string | undefined;
  /** The collection in which {@link MongoRevocationFeed.publish} writes. @default 'revocations' */
  readonly collection?: string | undefined;
}

const owner = 'MongoRevocationFeed';

const feedRules: Rules<MongoRevocationFeedOptions> = {
  ...timedRules,
  tokens: aName,
  users: anObject,
  ignoredUserFields: { must: 'a list of names', accepts: (value) => isListOf(value, aName.accepts) },
  httpSessions: aName,
  collection: aName,
};
/** MongoDB 6.0, the first that knows pre-images. */
const wireVersionOfPreImages = 17;

/**
 * Sees in the documents themselves what ended, whichever program ended it: a token that was revoked or deleted, a user that was changed,
 * disabled or deleted, an HTTP session that was destroyed. All subscribers share one change stream, filtered on the server.
 *
 * It needs a replica set. A change of a token or user that need not end anything is a hint. After a failure the stream goes on where it
 * was. If it cannot find that place again, subscribers are told of a gap.
 */
export class MongoRevocationFeed implements RevocationFeed {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #db: Db;
  readonly #watched: WatchedCollections;
  readonly #published: Collection<PublishedRevocation>;
  readonly #operations: Operations;
  readonly #subscribers = new Subscribers<[Revocation]>();
  readonly #warnOfUnreadable: () => void;
  readonly #follower: ChangeFollower;
  readonly #shared: SharedSubscription = { begin: () => this.#follower.begin(), end: () => this.#follower.stop() };

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoRevocationFeedOptions = {}) {
    const checked = checkedOptions(owner, options, feedRules);
    const { tokens = 'tokens', users = {}, ignoredUserFields = [], httpSessions, collection = 'revocations' } = checked;
    const { collection: userCollection = 'users', key: userKey = '_id' } = users;
    for (const [name, value] of Object.entries({ collection: userCollection, key: userKey }))
      checkOption(`${owner}.users`, name, value, aName);
    this.#db = checkDb(owner, db);
    this.#watched = {
      tokens,
      users: userCollection,
      userKey,
      ignoredUserFields: [...ignoredUserFields],
      httpSessions,
      published: collection,
    };
    this.#published = db.collection(collection);
    this.#operations = new Operations(checked);
    this.timeoutMs = this.#operations.timeoutMs;
    this.#warnOfUnreadable = warningOfUnreadable(`${owner}: the collection ${collection}`, 'ERR_REVOCATION_FEED_FAILED');
    this.#follower = new ChangeFollower(owner, this.#operations, {
      without: 'what other processes revoke is found when channels are checked again',
      options: () => this.#streamOptions(),
      watch: (streamOptions) => this.#db.watch(stagesFor(this.#watched), streamOptions),
      changed: (change) => this.#changed(change),
      gap: () => this.#subscribers.tellGap(),
      failed: (error) => this.#subscribers.tellFailed(error),
      restored: () => this.#subscribers.tellRestored(),
    });
  }

  /**
   * As the contract says.
   *
   * @throws {NoReplicaSetError} (as a rejection) when MongoDB is no replica set.
   * @throws {Error} (as a rejection) when it cannot be asked.
   */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe(owner, { on, onGap, health }, this.#shared);
  }

  /**
   * As the contract says: it is written to the collection, and so reaches every process that watches. With the index of `ensureIndexes` it
   * is removed after an hour.
   *
   * @throws {TypeError} (as a rejection) when it is no revocation.
   */
  async publish(revocation: Revocation): Promise<void> {
    const checked = checkedRevocation(`${owner}.publish`, revocation);
    const document = { ...checked, at: new Date(this.#operations.clock.now()) };
    await this.#operations.run('publish a revocation', () => this.#published.insertOne(document, byMajority));
  }

  /** What the stream is opened with where users are known by another field than `_id`. */
  async #streamOptions(): Promise<ChangeStreamOptions> {
    if (this.#watched.userKey === '_id') return {};
    const options: ChangeStreamOptions = { fullDocument: 'updateLookup' };
    const { maxWireVersion } = await this.#operations.run('tell its version', (signal) => this.#db.command({ hello: 1 }, { signal }));
    if (Number(maxWireVersion) >= wireVersionOfPreImages) options.fullDocumentBeforeChange = 'whenAvailable';
    return options;
  }

  #changed(change: ChangeStreamDocument): void {
    const told = this.#read(change);
    if (told === gap) this.#subscribers.tellGap();
    else if (told !== undefined) this.#subscribers.tell(told);
  }

  /** A change that cannot be read may have meant anything. */
  #read(change: ChangeStreamDocument): Revocation | typeof gap | undefined {
    try {
      return revocationOf(change, this.#watched, this.#operations.clock.now());
    } catch {
      this.#warnOfUnreadable();
      return gap;
    }
  }
}
