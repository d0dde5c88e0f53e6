import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeStream, Db } from 'mongodb';
import type { Broadcaster } from 'ws-with';
import { within } from './within.js';

/** What was published, as the collection holds it. */
interface BroadcastDocument {
  readonly node: string;
  readonly group: string;
  readonly data: string;
  readonly at: Date;
}

const keptSeconds = 60;
const retryMs = 500;

/** Carries text between processes through a collection that each of them watches. */
export class MongoBroadcaster implements Broadcaster {
  readonly #db: Db;
  readonly #node = randomUUID();
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(db: Db) {
    this.#db = db;
  }

  async ensureIndexes(): Promise<void> {
    await this.#broadcasts.createIndex({ at: 1 }, { expireAfterSeconds: keptSeconds });
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    const document = { node: this.#node, group, data: String(data), at: new Date() };
    const published = this.#publishing.then(() => within(this.#broadcasts.insertOne(document)));
    this.#publishing = published.catch(() => {});
    await published;
  }

  async subscribe(on: (group: string, data: string) => void, onGap: () => void): Promise<AsyncDisposable> {
    const closing = new AbortController();
    let stream = await this.#open();
    const following = (async () => {
      while (!closing.signal.aborted) {
        try {
          for await (const change of stream) if (change.operationType === 'insert') on(change.fullDocument.group, change.fullDocument.data);
        } catch {
          // told as a gap
        }
        await within(stream.close()).catch(() => {});
        while (!closing.signal.aborted) {
          await delay(retryMs, undefined, { signal: closing.signal }).catch(() => {});
          const opened = await this.#open().catch(() => undefined);
          if (opened === undefined) continue;
          stream = opened;
          onGap();
          break;
        }
      }
    })();
    return {
      [Symbol.asyncDispose]: async () => {
        closing.abort();
        await within(stream.close()).catch(() => {});
        await within(following).catch(() => {});
      },
    };
  }

  get #broadcasts() {
    return this.#db.collection<BroadcastDocument>('broadcasts');
  }

  async #open(): Promise<ChangeStream<BroadcastDocument>> {
    const { operationTime } = await within(this.#db.command({ hello: 1 }));
    if (operationTime === undefined) throw new Error('MongoDB must be a replica set: a single server has no change streams.');
    const others = { operationType: 'insert', 'fullDocument.node': { $ne: this.#node } };
    return this.#broadcasts.watch<BroadcastDocument>([{ $match: others }], { startAtOperationTime: operationTime }) as ChangeStream<BroadcastDocument>;
  }
}
