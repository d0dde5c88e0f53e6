import { afterEach, expect, it } from 'vitest';
import { ensureIndexes, IndexConflictError } from '../../../entries/mongodb.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('ensureIndexes', () => {
  const { db } = openDatabase();

  afterEach(() => db.dropDatabase());

  const indexesOf = async (collection: string) => {
    const indexes = await db.collection(collection).listIndexes().toArray();
    return indexes.filter(({ name }) => name !== '_id_').map(({ v: _v, name: _name, ...index }) => index);
  };

  it('makes what tokens and sessions need', async () => {
    await ensureIndexes(db);
    expect(await indexesOf('tokens')).toEqual([
      { key: { userId: 1, createdAt: 1 } },
      { key: { expiresAt: 1 }, expireAfterSeconds: 86_400 },
      { key: { removeAt: 1 }, expireAfterSeconds: 0 },
      { key: { userId: 1, slot: 1 }, unique: true, partialFilterExpression: { slot: { $exists: true } } },
      { key: { importedFrom: 1, sourceId: 1 }, partialFilterExpression: { sourceId: { $exists: true } } },
    ]);
    expect(await indexesOf('channelSessions')).toEqual([{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }]);
    expect(await indexesOf('tickets')).toEqual([
      { key: { expiresAt: 1 }, expireAfterSeconds: 0, partialFilterExpression: { 'grant.userId': { $exists: true } } },
    ]);
    expect(await indexesOf('revocations')).toEqual([{ key: { at: 1 }, expireAfterSeconds: 3_600 }]);
  });

  it('makes none for users and profiles that are views', async () => {
    await db.createCollection('people', { viewOn: 'accounts', pipeline: [{ $unset: 'password' }] });
    await db.createCollection('faces', { viewOn: 'pictures', pipeline: [] });
    const profile = { collection: 'faces', foreignField: 'user' };
    await ensureIndexes(db, { users: { collection: 'people', key: 'login', profile } });
    expect(await indexesOf('tokens')).toHaveLength(5);
    await expect(ensureIndexes(db, { tokens: { collection: 'people' } })).rejects.toThrow(Error);
  });

  it('changes nothing when it is run again, or by several processes at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => ensureIndexes(db)));
    const before = await indexesOf('tokens');
    await ensureIndexes(db);
    expect(await indexesOf('tokens')).toEqual(before);
  });

  it('makes those of the collections and keys that the options name', async () => {
    await ensureIndexes(db, {
      tokens: { collection: 'keys' },
      sessions: { collection: 'states' },
      tickets: { collection: 'passes' },
      feed: { collection: 'ended' },
      users: { collection: 'people', key: 'uuid', profile: { collection: 'profiles', foreignField: 'user' } },
    });
    expect(await indexesOf('keys')).toHaveLength(5);
    expect(await indexesOf('states')).toHaveLength(1);
    expect(await indexesOf('passes')).toHaveLength(1);
    expect(await indexesOf('ended')).toHaveLength(1);
    expect(await indexesOf('people')).toEqual([{ key: { uuid: 1 }, unique: true }]);
    expect(await indexesOf('profiles')).toEqual([{ key: { user: 1 } }]);
  });

  it('is content with an index of the application’s own over users', async () => {
    await db.collection('people').createIndex({ uuid: 1, name: 1 });
    await ensureIndexes(db, { users: { collection: 'people', key: 'uuid' } });
    expect(await indexesOf('people')).toEqual([{ key: { uuid: 1, name: 1 } }]);
  });

  it.each([
    ['channelSessions', { expiresAt: 1 }, {}],
    ['channelSessions', { expiresAt: 1 }, { expireAfterSeconds: 3_600 }],
    ['tokens', { userId: 1, slot: 1 }, {}],
    ['tokens', { userId: 1, createdAt: 1 }, { sparse: true }],
    ['tokens', { removeAt: 1 }, { expireAfterSeconds: 0, collation: { locale: 'en' } }],
  ] as const)('refuses to go on over an index of %s on %o with %o, and names them', async (collection, key, options) => {
    await db.collection(collection).createIndex(key, options);
    const error: unknown = await ensureIndexes(db).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IndexConflictError);
    expect(error).toMatchObject({ code: 'ERR_INDEX_CONFLICT', message: expect.stringContaining(collection) });
    expect((await indexesOf(collection)).find((index) => JSON.stringify(index.key) === JSON.stringify(key))).toMatchObject({ key });
  });

  it('refuses to go on over an index of a name that is needed', async () => {
    await db.collection('tokens').createIndex({ other: 1 }, { name: 'removeAt_1' });
    await expect(ensureIndexes(db)).rejects.toMatchObject({ code: 'ERR_INDEX_CONFLICT' });
  });

  it('refuses to go on over users whose keys are not unique, and does not quote them', async () => {
    await db.collection('users').insertMany([{ mail: 'ada@example.com' }, { mail: 'ada@example.com' }]);
    const error = await ensureIndexes(db, { users: { key: 'mail' } }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IndexConflictError);
    expect(String(error)).not.toContain('ada@');
  });

  it('lets other failures through', async () => {
    await db.createCollection('numbers');
    await db.createCollection('view', { viewOn: 'numbers' });
    await expect(ensureIndexes(db, { tokens: { collection: 'view' } })).rejects.not.toBeInstanceOf(IndexConflictError);
    await expect(ensureIndexes(db, { sessions: { collection: 'x'.repeat(300) } })).rejects.not.toBeInstanceOf(IndexConflictError);
  });

  it('refuses what is no database with a TypeError', async () => {
    await expect(ensureIndexes({} as never)).rejects.toThrow(TypeError);
    await expect(ensureIndexes(db, { timeoutMs: 0 })).rejects.toThrow(TypeError);
    await expect(ensureIndexes(db, { tokens: { users: { key: 'mail' } } as never })).rejects.toThrow(
      /tokens must be an object without users/,
    );
  });

  it('takes options of the tokens that say of users what stands beside them, too', async () => {
    const tokens = { collection: 'keys', users: { collection: 'people', key: 'mail' } };
    await ensureIndexes(db, { tokens, users: { ...tokens.users } });
    expect(await db.collection('people').indexExists('mail_1')).toBe(true);
  });
});
