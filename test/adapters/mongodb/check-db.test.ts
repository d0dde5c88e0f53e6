import { type Db, MongoClient, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import {
  ensureIndexes,
  importDrfTokens,
  MongoSessionStore,
  MongoTokenRepository,
  MongoUserRepository,
  registerMongo,
} from '../../../entries/mongodb.js';
import { container } from '../../../src/injection.js';

const client = new MongoClient('mongodb://127.0.0.1:1');

/** A database of another copy of the driver, as far as it can be told from ours. */
function foreign({ version, bson = 7 }: { readonly version?: string; readonly bson?: number | null }): Db {
  const id = bson === null ? {} : { [Symbol.for('@@mdb.bson.version')]: bson };
  const metadata = version === undefined ? Promise.resolve({}) : { driver: { name: 'nodejs', version } };
  const collection = (name: string) => client.db('site').collection(name);
  return {
    databaseName: 'site',
    collection,
    client: { options: { metadata } },
    s: { pkFactory: { createPk: () => id } },
  } as never;
}

const makers: Readonly<Record<string, (db: Db) => unknown>> = {
  MongoTokenRepository: (db) => new MongoTokenRepository(db),
  MongoUserRepository: (db) => new MongoUserRepository(db),
  MongoSessionStore: (db) => new MongoSessionStore(db),
  registerMongo: (db) => registerMongo(container.createChildContainer(), { db }),
};

describe.each(Object.entries(makers))('%s', (owner, make) => {
  it.each([
    ['6.22.0', foreign({ version: '6.22.0', bson: 6 })],
    ['5.9.2', foreign({ version: '5.9.2', bson: 5 })],
    ['8', foreign({ bson: 8 })],
  ])('refuses a database of mongodb %s when it is made, naming the version', (version, db) => {
    expect(() => make(db)).toThrow(TypeError);
    expect(() => make(db)).toThrow(version);
    expect(() => make(db)).toThrow(owner);
  });

  it.each([
    ['w: 0', client.db('site', { writeConcern: { w: 0 } })],
    ['w: 0', new MongoClient('mongodb://127.0.0.1:1/?w=0').db('site')],
    ['raw', client.db('site', { raw: true })],
    ['promoteValues', client.db('site', { promoteValues: false })],
    ['promoteValues', new MongoClient('mongodb://127.0.0.1:1', { promoteValues: false }).db('site')],
  ])('refuses a database with %s when it is made, naming the option', (option, db) => {
    expect(() => make(db)).toThrow(TypeError);
    expect(() => make(db)).toThrow(option);
  });

  it('takes one of another copy of the same version, and one that does not tell', () => {
    for (const db of [foreign({ version: '7.0.0' }), foreign({}), foreign({ bson: null })]) expect(() => make(db)).not.toThrow();
  });

  it('takes one whose options change nothing here', () => {
    const options = {
      promoteLongs: false,
      promoteBuffers: true,
      bsonRegExp: true,
      ignoreUndefined: true,
      readPreference: 'secondary',
    } as const;
    expect(() => make(client.db('site', options))).not.toThrow();
    expect(() => make(client.db('site', { writeConcern: { w: 'majority' }, pkFactory: { createPk: () => new ObjectId() } }))).not.toThrow();
  });

  it.each([null, undefined, 'site', {}, client, { collection: () => ({}) }])('refuses what is no database: %#', (db) => {
    expect(() => make(db as never)).toThrow(TypeError);
  });
});

it('ensureIndexes and importDrfTokens refuse such databases too, before they ask them', async () => {
  for (const db of [foreign({ version: '6.22.0' }), client.db('site', { writeConcern: { w: 0 } }), client.db('site', { raw: true })]) {
    await expect(ensureIndexes(db)).rejects.toThrow(TypeError);
    await expect(importDrfTokens(db, { from: 'authtoken_token' })).rejects.toThrow(TypeError);
  }
});

it('importDrfTokens refuses a source of another version, and its own collection as source', async () => {
  const source = { collectionName: 'authtoken_token', db: foreign({ version: '6.22.0' }) };
  await expect(importDrfTokens(client.db('site'), { from: source as never })).rejects.toThrow('6.22.0');
  await expect(importDrfTokens(client.db('site'), { from: 'tokens' })).rejects.toThrow(TypeError);
});
