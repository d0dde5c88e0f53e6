import type { ChangeStream, ChangeStreamDocument, ChangeStreamOptions, Collection, Db, ResumeToken } from 'mongodb';
import { aName, anObject, checkedOptions, checkOption, type Rules } from '../../src/checked-options.js';
import type { FeedHealth, Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { FeedSubscribers } from '../../src/feed-subscribers.js';
import { checkDb } from './check-db.js';
import { Operations } from './operations.js';
import { type MongoOptions, mongoRules } from './options.js';
import { documentOf, gap, type PublishedRevocation, revocationOf, stagesFor, type WatchedCollections } from './revocation-changes.js';
import type { MongoUserOptions } from './users.js';

/** Options of {@link MongoRevocationFeed}: which collections of the database it watches. */
export interface MongoRevocationFeedOptions extends MongoOptions {
  /** The collection that holds the tokens. @default 'tokens' */
  readonly tokens?: string | undefined;
  /** Where the users are. @default { collection: 'users', key: '_id' } */
  readonly users?: Pick<MongoUserOptions, 'collection' | 'key'> | undefined;
  /** Fields of users that change often and mean nothing to channels, with all that is in them, e.g. `['lastSeenAt']`. @default none */
  readonly ignoredUserFields?: readonly string[] | undefined;
  /** The collection of HTTP sessions whose `_id` is the session's id, as connect-mongo keeps them. @default none is watched */
  readonly httpSessions?: string | undefined;
  /** The collection in which {@link MongoRevocationFeed.publish} writes. @default 'revocations' */
  readonly collection?: string | undefined;
}

const owner = 'MongoRevocationFeed';

const feedRules: Rules<MongoRevocationFeedOptions> = {
  ...mongoRules,
  tokens: aName,
  users: anObject,
  ignoredUserFields: { must: 'a list of names', accepts: (value) => Array.isArray(value) && value.every(aName.accepts) },
  httpSessions: aName,
  collection: aName,
};
/** How long to wait before a stream that broke is opened again, doubled with each failure. */
const firstDelayMs = 100;
const maxDelayMs = 10_000;

/** There are no change streams without a replica set. */
const noReplicaSetCode = 40_573;
/** MongoDB 6.0, the first that knows pre-images. */
const wireVersionOfPreImages = 17;

/** Thrown by {@link MongoRevocationFeed.subscribe} where MongoDB is no replica set, and so has no change streams. */
export class NoReplicaSetError extends Error {
  readonly code = 'ERR_NO_REPLICA_SET';

  constructor(cause: unknown) {
    super(
      `${owner}: MongoDB has change streams only as a replica set (one node is enough); without it, what other processes revoke is found ` +
        'when channels are checked again.',
      { cause },
    );
    this.name = 'NoReplicaSetError';
  }
}

/**
 * Learns from the rows themselves what ended: a token that was revoked or deleted, a user that was changed, disabled or deleted, an HTTP
 * session that was destroyed, by whatever program. One change stream for all subscribers, filtered on the server.
 *
 * It needs a replica set. A change of a token or user that may mean something or nothing is a hint. The stream goes on where it was after
 * a failure; where that place is not to be found again, subscribers are told of a gap.
 */
export class MongoRevocationFeed implements RevocationFeed {
  readonly #db: Db;
  readonly #watched: WatchedCollections;
  readonly #published: Collection<PublishedRevocation>;
  readonly #operations: Operations;
  readonly #subscribers = new FeedSubscribers();
  #beginning: Promise<void> | undefined;
  #stream: ChangeStream | undefined;
  /** Where to go on after a failure; without it there is a gap. */
  #token: ResumeToken | undefined;
  #cancelRetry: (() => void) | undefined;
  /** Whether subscribers were told that it cannot go on. */
  #hasFailed = false;
  /** Grows whenever the last subscriber leaves: what was begun before is not gone on with. */
  #epoch = 0;

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
  }

  /**
   * As the contract says.
   *
   * @throws {NoReplicaSetError} (as a rejection) when MongoDB is no replica set.
   * @throws {Error} (as a rejection) when it cannot be asked.
   */
  async subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    const remove = this.#subscribers.add(owner, on, onGap, health);
    const end = async (): Promise<void> => {
      if (remove() && this.#subscribers.size === 0) await this.#stop();
    };
    try {
      this.#beginning ??= this.#open();
      await this.#beginning;
    } catch (error) {
      await end();
      throw error;
    }
    return { [Symbol.asyncDispose]: end };
  }

  /**
   * As the contract says: it is written down, for an hour where `ensureIndexes` has run, and so reaches every process that watches.
   *
   * @throws {TypeError} (as a rejection) when it is no revocation.
   */
  async publish(revocation: Revocation): Promise<void> {
    const document = documentOf(`${owner}.publish`, revocation, new Date(this.#operations.clock.now()));
    await this.#operations.run('publish a revocation', () => this.#published.insertOne(document, { writeConcern: { w: 'majority' } }));
  }

  /** Opens a stream, and resolves once it cannot miss anything any more. */
  async #open(): Promise<void> {
    const epoch = this.#epoch;
    const options = await this.#streamOptions();
    if (epoch !== this.#epoch) throw new Error(`${owner}: the last subscriber has left.`);
    const stream = this.#db.watch(stagesFor(this.#watched), options);
    this.#stream = stream;
    const first = stream.next();
    first.catch(() => undefined); // whoever follows the stream learns of it, too
    try {
      await this.#operations.run('open a change stream', () => Promise.race([first, opened(stream)]));
    } catch (error) {
      if (this.#stream === stream) this.#stream = undefined;
      void this.#close(stream);
      throw codeOf(error) === noReplicaSetCode ? new NoReplicaSetError(error) : error;
    }
    void this.#follow(stream, first);
  }

  async #streamOptions(): Promise<ChangeStreamOptions> {
    // The database's own options may ask for less than a stream takes.
    const options: ChangeStreamOptions = { readPreference: 'primary', readConcern: { level: 'majority' } };
    if (this.#token !== undefined) options.resumeAfter = this.#token;
    if (this.#watched.userKey === '_id') return options;
    options.fullDocument = 'updateLookup';
    const { maxWireVersion } = await this.#operations.run('tell its version', (signal) => this.#db.command({ hello: 1 }, { signal }));
    if (Number(maxWireVersion) >= wireVersionOfPreImages) options.fullDocumentBeforeChange = 'whenAvailable';
    return options;
  }

  /** Tells of what comes, for as long as somebody listens. The driver goes on by itself after most failures; after others we do. */
  async #follow(stream: ChangeStream, first: Promise<ChangeStreamDocument>): Promise<void> {
    let isInvalid = false;
    try {
      for (let change = await first; this.#stream === stream; change = await stream.next()) {
        isInvalid = change.operationType === 'invalidate';
        const told = this.#read(change);
        if (told === gap) this.#subscribers.tellGap();
        else if (told !== undefined) this.#subscribers.tell(told);
      }
    } catch (error) {
      if (this.#stream !== stream) return;
      // Before anything is awaited: whoever subscribes meanwhile may open a stream of their own.
      this.#stream = undefined;
      this.#token = isInvalid || isPlaceLost(error) ? undefined : (stream.resumeToken ?? this.#token);
      this.#beginAgain(firstDelayMs);
      await this.#close(stream);
    }
  }

  /** A change that cannot be read may have meant anything. */
  #read(change: ChangeStreamDocument): Revocation | typeof gap | undefined {
    try {
      return revocationOf(change, this.#watched, this.#operations.clock.now());
    } catch {
      return gap;
    }
  }

  #beginAgain(delayMs: number): void {
    const again = async (): Promise<void> => {
      this.#cancelRetry = undefined;
      const epoch = this.#epoch;
      const isLost = this.#token === undefined;
      try {
        await this.#open();
        if (epoch !== this.#epoch) return;
        if (this.#hasFailed) this.#subscribers.tellRestored();
        this.#hasFailed = false;
        if (isLost) this.#subscribers.tellGap();
      } catch (error) {
        if (epoch !== this.#epoch) return;
        if (isPlaceLost(error)) this.#token = undefined;
        this.#hasFailed = true;
        this.#subscribers.tellFailed(error);
        if (epoch === this.#epoch) this.#beginAgain(Math.min(2 * delayMs, maxDelayMs));
      }
    };
    // at a random moment of the interval, or all processes would come back at once
    this.#cancelRetry = this.#operations.clock.setTimer(() => void again(), delayMs * (0.5 + Math.random() / 2));
  }

  async #stop(): Promise<void> {
    const stream = this.#stream;
    this.#epoch += 1;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#stream = undefined;
    this.#beginning = undefined;
    this.#token = undefined;
    this.#hasFailed = false;
    if (stream) await this.#close(stream);
  }

  /** Never rejects, nor takes longer than any operation: the database may not be there to be told. */
  async #close(stream: ChangeStream): Promise<void> {
    await this.#operations.run('close a change stream', () => stream.close()).catch(() => undefined);
  }
}

/** Resolves once the server has opened the stream: that is when it first says where to go on. */
function opened(stream: ChangeStream): Promise<void> {
  return new Promise((resolve) => stream.once('resumeTokenChanged', () => resolve()));
}

/**
 * Whether the server itself refuses to go on from where we were: its history does not reach back so far, the place is not to be found, or
 * what happened there is too large to be sent. Asked again it would say the same for ever.
 */
function isPlaceLost(error: unknown): boolean {
  const { hasErrorLabel } = error as { hasErrorLabel?: (label: string) => boolean };
  return typeof codeOf(error) === 'number' && hasErrorLabel?.call(error, 'ResumableChangeStreamError') !== true;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
