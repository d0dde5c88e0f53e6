import { type Db, MongoClient } from 'mongodb';

/** The database that this server was started with (its URL and name are the process's arguments), connected. */
export async function openDatabase(): Promise<Db> {
  const [url = '', name = ''] = process.argv.slice(2);
  const client = await new MongoClient(url).connect();
  return client.db(name);
}
