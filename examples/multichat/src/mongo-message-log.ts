import { type Collection, type Db, MongoServerError } from 'mongodb';
import type { ChatMessage } from './events.js';
import { type HistoryRange, type MessageLog, messagesShown, type NewMessage } from './message-log.js';

const duplicateKey = 11_000;
/** As many processes may want the next number of a room in the same moment. */
const attempts = 100;

/**
 * A log in a collection. A number is given by inserting the message under it: whoever comes second takes the next one. So numbers have no
 * holes, and a message is there before any with a higher number.
 */
export class MongoMessageLog implements MessageLog {
  readonly #messages: Collection<ChatMessage>;

  constructor(db: Db, { timeoutMS }: { readonly timeoutMS: number }) {
    this.#messages = db.collection('messages', { readPreference: 'primary', writeConcern: { w: 'majority' }, timeoutMS });
  }

  async ensureIndexes(): Promise<void> {
    await this.#messages.createIndex({ room: 1, number: 1 }, { unique: true });
    await this.#messages.createIndex({ room: 1, 'from.id': 1, id: 1 }, { unique: true });
  }

  async append(message: NewMessage): Promise<ChatMessage> {
    const { id, room, from } = message;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const made: ChatMessage = { ...message, number: (await this.last(room)) + 1, at: new Date().toISOString() };
      try {
        await this.#messages.insertOne({ ...made });
        return made;
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error;
        const known = await this.#messages.findOne({ room, 'from.id': from.id, id }, withoutId);
        if (known !== null) return known;
      }
    }
    throw new Error('Too many write in this room at once.');
  }

  async last(room: string): Promise<number> {
    const newest = await this.#messages.findOne({ room }, { sort: { number: -1 }, projection: { _id: 0, number: 1 } });
    return newest?.number ?? 0;
  }

  async read(room: string, { before = Number.MAX_SAFE_INTEGER, after }: HistoryRange): Promise<readonly ChatMessage[]> {
    const [number, order] = after === undefined ? [{ $lt: before }, -1 as const] : [{ $gt: after }, 1 as const];
    const found = this.#messages.find({ room, number }, { ...withoutId, sort: { number: order }, limit: messagesShown });
    const messages = await found.toArray();
    return after === undefined ? messages.reverse() : messages;
  }
}

const withoutId = { projection: { _id: 0 } } as const;
