import { randomUUID } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';

/** A database of this run's own, on a MongoDB that others may use; it is dropped at the end. */
export class OwnDatabase implements AsyncDisposable {
  readonly db: Db;
  readonly #client: MongoClient;

  private constructor(client: MongoClient) {
    this.#client = client;
    this.db = client.db(`ws-with-bench-${randomUUID()}`);
  }

  static async open(url: string): Promise<OwnDatabase> {
    return new OwnDatabase(await new MongoClient(url).connect());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.dropDatabase();
    await this.#client.close();
  }
}
