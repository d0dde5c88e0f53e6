import { randomUUID } from 'node:crypto';
import type { Collection, Db } from 'mongodb';
import type { RoomPeople } from './events.js';
import type { Rooms } from './rooms.js';
import { within } from './within.js';

/** Who is in the rooms through one process. */
export interface PresenceDocument {
  /** The process. */
  readonly _id: string;
  readonly rooms: readonly RoomPeople[];
  /** A process that writes nothing until then has died, and nobody is there through it any more. */
  readonly expiresAt: Date;
}

const beatMs = 5_000;
const lifeMs = 3 * beatMs;

/**
 * Tells the other processes who is here, and this one who is there. Each has one document, which it writes again whenever somebody
 * comes or goes, and every five seconds, so that it is right again soon whatever became of the database meanwhile.
 */
export class MongoPresence {
  readonly #processes: Collection<PresenceDocument>;
  readonly #rooms: Rooms;
  readonly #process = randomUUID();
  /** The other processes that are known. */
  readonly #others = new Set<string>();
  #beat: NodeJS.Timeout | undefined;
  #hasChanged = false;
  #writing: Promise<void> | undefined;

  constructor(db: Db, rooms: Rooms) {
    this.#processes = db.collection('presence');
    this.#rooms = rooms;
  }

  start(): void {
    this.#beat = setInterval(() => {
      this.changed();
      // Whoever watches hears of the deletion.
      within(this.#processes.deleteMany({ $expr: { $lte: ['$expiresAt', '$$NOW'] } })).catch(() => {});
    }, beatMs);
  }

  /** Somebody came or went: it is written down, together with what happens until the database has time. */
  changed(): void {
    this.#hasChanged = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Takes over what all processes say. */
  async readAll(): Promise<void> {
    const documents = await within(this.#processes.find({ $expr: { $gt: ['$expiresAt', '$$NOW'] } }).toArray());
    const alive = new Set(documents.map(({ _id }) => _id));
    for (const other of this.#others) if (!alive.has(other)) this.gone(other);
    for (const document of documents) this.read(document);
  }

  read({ _id, rooms }: PresenceDocument): void {
    if (_id === this.#process) return;
    this.#others.add(_id);
    this.#rooms.setElsewhere(_id, rooms);
  }

  /** A process has ended or died. */
  gone(other: string): void {
    if (this.#others.delete(other)) this.#rooms.setElsewhere(other, []);
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing;
    await within(this.#processes.deleteOne({ _id: this.#process })).catch(() => {});
  }

  async #write(): Promise<void> {
    while (this.#hasChanged) {
      this.#hasChanged = false;
      const fields = { rooms: { $literal: this.#rooms.here() }, expiresAt: { $add: ['$$NOW', lifeMs] } };
      const update = this.#processes.updateOne({ _id: this.#process }, [{ $set: fields }], { upsert: true });
      // What could not be written is written with the next beat.
      await within(update).catch(() => {});
    }
  }
}
