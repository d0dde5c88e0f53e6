import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Collection, Db } from 'mongodb';
import { type EventLog, messageOf, messagesShown, type RoomAction, type RoomEvent } from './event-log.js';
import type { ChatMessage } from './events.js';
import { within } from './within.js';

/** An event as the collection holds it. */
export interface EventDocument extends RoomAction {
  readonly _id: string;
  /** By the clock of the database: the clocks of several processes never agree. */
  readonly at: Date;
  /** Messages are kept; who came, left and typed is of no interest later. */
  readonly expiresAt?: Date;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const passingMs = 60_000;
/** How far the database's clock may lie behind the order of its writes. */
const overlapMs = 10_000;

/** A log in a collection that each process watches: whoever writes there hears of it as everybody else does. */
export class MongoEventLog implements EventLog {
  /** Is told of everything that happens. */
  onEvent: (event: RoomEvent) => void = () => {};
  readonly #events: Collection<EventDocument>;
  /** What was told already: a gap is filled from a little before its beginning. */
  readonly #told = new LRUCache<string, true>({ max: 5_000 });
  readonly #waiting = new Map<string, Waiting>();
  #newest: Date | undefined;

  constructor(db: Db) {
    this.#events = db.collection('events');
  }

  async ensureIndexes(): Promise<void> {
    await this.#events.createIndexes([
      { key: { room: 1, kind: 1, at: -1, _id: -1 } },
      { key: { at: 1 } },
      { key: { expiresAt: 1 }, expireAfterSeconds: 0 },
    ]);
  }

  async append(action: RoomAction): Promise<void> {
    const _id = randomUUID();
    const times = { at: '$$NOW', ...(action.kind !== 'send' && { expiresAt: { $add: ['$$NOW', passingMs] } }) };
    const insert = [{ $replaceWith: { $mergeObjects: [{ $literal: { _id, ...action } }, times] } }];
    const told = new Promise<void>((resolve, reject) => this.#waiting.set(_id, { resolve, reject }));
    // An insertion cannot tell the database's time, an update can.
    this.#events.updateOne({ _id }, insert, { upsert: true }).catch((error: unknown) => this.#waiting.get(_id)?.reject(error));
    try {
      await within(told);
    } finally {
      this.#waiting.delete(_id);
    }
  }

  async latest(room: string): Promise<readonly ChatMessage[]> {
    const newestFirst = this.#events.find({ room, kind: 'send' }, { sort: { at: -1, _id: -1 }, limit: messagesShown });
    return (await within(newestFirst.toArray())).map((document) => messageOf(eventOf(document))).reverse();
  }

  /** Tells what has happened since the newest event that was told; `now` is when there was none. */
  async catchUp(now: Date): Promise<void> {
    this.#newest ??= now;
    const since = new Date(this.#newest.getTime() - overlapMs);
    const missed = this.#events.find({ at: { $gte: since }, kind: { $ne: 'typing' } }, { sort: { at: 1 } });
    for (const document of await within(missed.toArray())) this.tell(document);
  }

  /** Tells of an event, unless that was done. */
  tell(document: EventDocument): void {
    if (this.#told.has(document._id)) return;
    this.#told.set(document._id, true);
    if (this.#newest === undefined || document.at > this.#newest) this.#newest = document.at;
    this.onEvent(eventOf(document));
    this.#waiting.get(document._id)?.resolve();
  }
}

function eventOf({ _id, kind, room, by, text, at }: EventDocument): RoomEvent {
  return { id: _id, kind, room, by, text, at: at.toISOString() };
}
