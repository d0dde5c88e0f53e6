import type { ChangeStreamDocument, Collection, Db } from 'mongodb';
import { aName, anInteger, checkedOptions } from '../../src/checked-options.js';
import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import type { FeedHealth } from '../../src/contracts/revocation-feed.js';
import { HeardNumbers, SentNumbers } from '../../src/feeds/broadcast-sequence.js';
import { checkBroadcast } from '../../src/feeds/check-broadcast.js';
import { LossMark } from '../../src/feeds/loss-mark.js';
import { type SharedSubscription, Subscribers } from '../../src/feeds/subscribers.js';
import { UnreadableMessages } from '../../src/feeds/unreadable-messages.js';
import { timedRules } from '../../src/time/timed-options.js';
import { type BroadcastDocument, broadcastOf } from './broadcast-document.js';
import { BroadcastWriter } from './broadcast-writer.js';
import { ChangeFollower } from './change-follower.js';
import { checkDb } from './check-db.js';
import { Operations } from './operations.js';
import { type MongoOptions, plainNumbers } from './options.js';

/** Options of {@link MongoBroadcaster}. */
export interface MongoBroadcasterOptions extends MongoOptions {
  /** The collection that messages go through; with the index of `ensureIndexes` they are removed a minute later. @default 'broadcasts' */
  readonly collection?: string | undefined;
  /**
   * How many bytes of messages may wait for the database, an integer from 1. Past it, `publish` rejects, and others are told of a gap.
   *
   * @default 16,777,216
   */
  readonly maxPendingBytes?: number | undefined;
}

const owner = 'MongoBroadcaster';

/**
 * Carries messages of groups through a collection and its change stream, so that a small fleet needs only its database. It needs a replica
 * set. Messages of one turn of the event loop are one write; each has 15 MiB at most. After a failure the stream goes on where it was. If
 * it cannot find that place again, subscribers are told of a gap.
 */
export class MongoBroadcaster implements Broadcaster {
  readonly #operations: Operations;
  readonly #writer: BroadcastWriter;
  readonly #follower: ChangeFollower;
  readonly #shared: SharedSubscription = { begin: () => this.#begin(), end: () => this.#end() };
  readonly #subscribers = new Subscribers<[group: string, data: string | Uint8Array]>();
  readonly #sent = new SentNumbers();
  readonly #heard = new HeardNumbers();
  readonly #mark: LossMark;
  readonly #unreadable: UnreadableMessages;
  /** Whether all who had subscribed have left: the database may be closed, and nothing is written that nobody asked for. */
  #isOver = false;

  /** @throws {TypeError} when an option is out of its range, or the database is one that does not serve. */
  constructor(db: Db, options: MongoBroadcasterOptions = {}) {
    const checked = checkedOptions(owner, options, { ...timedRules, collection: aName, maxPendingBytes: anInteger(1) });
    const { collection: name = 'broadcasts', maxPendingBytes = 16_777_216 } = checked;
    const collection: Collection<BroadcastDocument> = checkDb(owner, db).collection(name);
    this.#operations = new Operations(checked);
    this.#writer = new BroadcastWriter(collection, this.#operations, maxPendingBytes);
    this.#mark = new LossMark(
      this.#operations.clock,
      () => this.#sent.hasLoss && !this.#isOver,
      () => this.#send('', ''),
    );
    const where = `${owner}: the collection ${collection.collectionName}`;
    this.#unreadable = new UnreadableMessages(this.#operations.clock, where, () => this.#subscribers.tellGap());
    this.#follower = new ChangeFollower(owner, this.#operations, {
      without: 'messages of groups reach their own process alone',
      options: async () => ({ promoteBuffers: true, ...plainNumbers }),
      watch: (streamOptions) => collection.watch([{ $match: this.#filter() }], streamOptions),
      changed: (change) => this.#changed(change),
      gap: () => this.#gap(),
      failed: (error) => this.#subscribers.tellFailed(error),
      restored: () => this.#subscribers.tellRestored(),
    });
  }

  /**
   * As the contract says: it resolves once a majority of the replica set has it.
   *
   * @throws {TypeError} (as a rejection) when `group` is no string or empty, or `data` neither a string nor bytes.
   * @throws {ChannelError} (as a rejection) `ERR_BROADCAST_FAILED` when it is larger than 15 MiB, or too much waits for the database.
   */
  async publish(group: string, data: string | Uint8Array): Promise<void> {
    checkBroadcast(`${owner}.publish`, group, data);
    try {
      await this.#send(group, typeof data === 'string' ? data : Buffer.from(data));
    } catch (error) {
      this.#mark.needed();
      throw error;
    }
  }

  /**
   * As the contract says.
   *
   * @throws {TypeError} (as a rejection) when a callback is no function.
   * @throws {NoReplicaSetError} (as a rejection) when MongoDB is no replica set.
   */
  subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe(owner, { on, onGap, health }, this.#shared);
  }

  #begin(): Promise<void> {
    this.#isOver = false;
    return this.#follower.begin();
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    this.#unreadable.stop();
    this.#heard.toldOfGap(); // of what is sent while nobody listens, nobody is to be told
    await this.#follower.stop();
  }

  /** Numbers it, also where it cannot be written: so the others see that it is missing. */
  async #send(group: string, data: string | Buffer): Promise<void> {
    const number = this.#sent.next();
    const { sender, hasLoss } = this.#sent;
    const at = new Date(this.#operations.clock.now());
    try {
      await this.#writer.write({ sender, number, ...(hasLoss && { hasLoss: true as const }), group, data, at });
      this.#sent.arrived(number);
    } catch (error) {
      this.#sent.failed();
      throw error;
    }
  }

  /** What others have written, and whatever else may mean that something is missed. */
  #filter(): object {
    return {
      $or: [
        { operationType: 'insert', 'fullDocument.sender': { $ne: this.#sent.sender } },
        { operationType: { $in: ['drop', 'rename', 'dropDatabase', 'invalidate'] } },
      ],
    };
  }

  #changed(change: ChangeStreamDocument): void {
    if (change.operationType !== 'insert') {
      this.#gap();
      return;
    }
    const message = broadcastOf(change.fullDocument);
    if (message === undefined) {
      this.#heard.toldOfGap();
      this.#unreadable.heard();
      return;
    }
    const { sender, number, hasLoss = false, group, data } = message;
    const verdict = this.#heard.accept(sender, number, hasLoss);
    if (verdict === 'old') return;
    if (verdict === 'gap') this.#subscribers.tellGap();
    if (group !== '') this.#subscribers.tell(group, typeof data === 'string' ? data : new Uint8Array(data));
  }

  #gap(): void {
    this.#heard.toldOfGap();
    this.#subscribers.tellGap();
  }
}
