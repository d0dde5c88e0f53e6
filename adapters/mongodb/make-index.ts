import type { Collection, Document } from 'mongodb';
import { isOnFieldsOf, type NeededIndex } from './needed-indexes.js';
import { plainNumbers } from './options.js';
import { serverCodeOf, serverCodes } from './server-codes.js';

/** Makes an index, where there is none on the same fields; a user who may make none will do where there is one. */
export async function makeIndex<Schema extends Document>(collection: Collection<Schema>, needed: NeededIndex): Promise<void> {
  const { key, ...options } = needed;
  try {
    await collection.createIndex(key, options);
  } catch (error) {
    if (serverCodeOf(error) !== serverCodes.unauthorized) throw error;
    const present = await collection
      .listIndexes({ readPreference: 'primary', ...plainNumbers })
      .toArray()
      .catch(() => []);
    const { unique = false } = options;
    if (!present.some((other) => isOnFieldsOf(needed, other) && (other.unique ?? false) === unique)) throw error;
  }
}
