import { randomBytes } from 'node:crypto';
import { Binary, Decimal128, Double, Long, MongoClient, ObjectId } from 'mongodb';
import { beforeEach, expect, it, vi } from 'vitest';
import {
  ensureIndexes,
  MongoRevocationFeed,
  MongoTicketStore,
  MongoTokenRepository,
  MongoUserRepository,
} from '../../../entries/mongodb.js';
import { tokenIdOf } from '../../../src/token-id.js';
import { eventually } from '../../support/eventually.js';
import { describeOnMongo, openDatabase, url } from './mongo.js';

const newId = () => tokenIdOf(randomBytes(20).toString('hex'));

describeOnMongo('Documents that other programs have written', () => {
  const { db } = openDatabase();
  const users = db.collection<{ _id: unknown }>('users');

  beforeEach(() => db.dropDatabase());

  it.each([
    ['nothing', {}],
    ['null', { userId: null }],
    ['a list', { userId: ['ada'] }],
    ['bytes', { userId: new Binary(Buffer.from('ada')) }],
    ['an object', { userId: { login: 'ada' } }],
    ['an empty string', { userId: '' }],
  ])('are no token of any user where its userId is %s, were there users without a key', async (_, fields) => {
    await db.collection('users').insertMany([{ name: 'without' }, { login: null }, { login: 'ada' }, { login: '' }]);
    const tokens = new MongoTokenRepository(db, { users: { key: 'login' } });
    const id = newId();
    await db.collection<{ _id: string; createdAt: Date }>('tokens').insertOne({ _id: id, createdAt: new Date(), ...fields });
    expect((await tokens.findById(id))?.user).toBeUndefined();
    expect((await tokens.findByIds([id])).get(id)?.user).toBeUndefined();
  });

  it.each([{}, { promoteLongs: false }, { useBigInt64: true }])(
    'are disabled users where isActive is false or 0, of whatever kind, for a client with %j',
    async (options) => {
      await using client = new MongoClient(url, options);
      const own = client.db(db.databaseName);
      const decimals = ['0.00', '0.5'].map((digits) => Decimal128.fromString(digits));
      const values = [false, 0, Long.ZERO, new Double(0), ...decimals, true, 1, Long.ONE, null, 'no'];
      await users.insertMany(values.map((isActive, _id) => ({ _id, isActive })));
      const found = await new MongoUserRepository(own).findByIds(values.map((_, id) => String(id)));
      expect([...found.keys()].sort()).toEqual(['10', '5', '6', '7', '8', '9']);
    },
  );

  it('are nobody where the key of a user is a list, or bytes', async () => {
    await db.collection('users').insertMany([{ login: ['ada'] }, { login: new Binary(Buffer.from('bob')) }]);
    const repository = new MongoUserRepository(db, { key: 'login' });
    expect([await repository.findById('ada'), await repository.findById('bob')]).toEqual([undefined, undefined]);
    await expect(new MongoTokenRepository(db, { users: { key: 'login' } }).issue('ada')).rejects.toMatchObject({
      code: 'ERR_USER_UNKNOWN',
    });
  });

  it('stay one user’s where an id is an integer of more than 64 bits, whose lower ones are another’s', async () => {
    const [own, other] = ['-8446744073709551617', '9999999999999999999'];
    await users.insertOne({ _id: Long.fromString(own) });
    const tokens = new MongoTokenRepository(db);
    const { id } = await tokens.issue(own);
    expect(await tokens.listOf(other)).toEqual([]);
    expect(await tokens.revokeAllOf(other)).toBe(0);
    expect((await tokens.findById(id))?.user?.id).toBe(own);
    expect(await tokens.revokeAllOf(own)).toBe(1);
  });

  it.each([
    ['null', null],
    ['text', 'some day'],
    ['a number', 9e15],
    ['beyond what a Date can hold', { $toDate: Long.fromString('9000000000000000') }],
  ])('open no channel by a ticket whose end is %s', async (_, expiresAt) => {
    const tickets = new MongoTicketStore(db);
    const ticket = await tickets.issue({ userId: 'ada' }, 30_000);
    await db.collection('tickets').updateMany({}, [{ $set: { expiresAt } }]);
    await expect(tickets.consume(ticket)).rejects.toThrow(TypeError);
    expect(await tickets.consume(ticket)).toBeUndefined();
  });

  it('are revocations by any kind of key; where a moment cannot be read, users are looked up, and where all cannot, everybody', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const feed = new MongoRevocationFeed(db);
    const heard: unknown[] = [];
    await using _subscription = await feed.subscribe(
      (revocation) => heard.push(revocation),
      () => heard.push('gap'),
    );
    const ann = new ObjectId();
    await db
      .collection('revocations')
      .insertMany([
        { userId: 'ada', issuedBefore: '2026-11-26' },
        { userId: 'ada', issuedBefore: null, tokenId: null },
        { userId: 5 },
        { userId: ann },
        { tokenId: 'x' },
        { tokenId: newId(), userId: 'ada' },
        { userId: { $ne: null } },
        {},
        { httpSessionId: 'last' },
      ]);
    await eventually(() => expect(heard.at(-1)).toEqual({ httpSessionId: 'last' }));
    expect(heard.slice(0, -1)).toEqual([
      { userId: 'ada', hint: true },
      { userId: 'ada' },
      { userId: '5' },
      { userId: ann.toHexString() },
      ...Array(4).fill('gap'),
    ]);
    expect(warn.mock.calls.map(([, options]) => options)).toEqual([{ type: 'WsWithWarning', code: 'ERR_REVOCATION_FEED_FAILED' }]);
  });

  it('are told as no revocation where they stand among the tokens, and are none', async () => {
    const foreign = db.collection<{ _id: ObjectId | string | number }>('tokens');
    const ids = [new ObjectId(), 'ada', 7];
    const own = newId();
    await foreign.insertMany([...ids, own].map((_id) => ({ _id })));
    const heard: unknown[] = [];
    await using _subscription = await new MongoRevocationFeed(db).subscribe(
      (revocation) => heard.push(revocation),
      () => heard.push('gap'),
    );
    for (const _id of [...ids, own]) await foreign.deleteOne({ _id });
    await eventually(() => expect(heard).toContainEqual({ tokenId: own }));
    expect(heard).toHaveLength(1);
  });

  it.each([
    ['expiresAt', 'some day'],
    ['expiresAt', { $toDate: Long.fromString('9000000000000000') }],
    ['graceEndsAt', 9e15],
    ['scopes', 'read'],
  ])('are neither extended nor rotated where their %s cannot be read (%o), but are listed and can be revoked', async (field, value) => {
    await users.insertOne({ _id: 'ada' });
    const tokens = new MongoTokenRepository(db);
    const { id } = await tokens.issue('ada', { ttlMs: 60_000 });
    await db.collection('tokens').updateMany({}, [{ $set: { [field]: value } }]);
    await expect(tokens.findById(id)).rejects.toThrow(Error);
    await expect(tokens.extend(id, { ttlMs: 120_000 })).rejects.toThrow('cannot be read');
    await expect(tokens.rotate(id, { graceMs: 1_000, ttlMs: 60_000 })).rejects.toThrow('cannot be read');
    expect(await db.collection('tokens').countDocuments()).toBe(1);
    const [info] = await tokens.listOf('ada');
    expect(info).toMatchObject({ id, userId: 'ada' });
    expect(Number.isNaN(info?.expiresAt?.getTime())).toBe(field !== 'scopes'); // and not as one without an end
    expect(await tokens.revoke(id)).toBe(true);
  });

  it.each([['some day'], [9e15], [null]])('are listed without the moment of their last use where that is %o', async (lastUsedAt) => {
    await users.insertOne({ _id: 'ada' });
    const tokens = new MongoTokenRepository(db);
    const { id } = await tokens.issue('ada');
    await db.collection('tokens').updateOne({}, { $set: { lastUsedAt } });
    const [info] = await tokens.listOf('ada');
    expect(info).toMatchObject({ id });
    expect(info).not.toHaveProperty('lastUsedAt');
  });

  it('are listed as what they are where label, scopes and moments are of other types, and not where they are tokens of another program', async () => {
    await users.insertOne({ _id: 'ada' });
    const tokens = new MongoTokenRepository(db);
    const { id } = await tokens.issue('ada', { label: 'phone', scopes: ['read'] });
    await db.collection('tokens').updateOne({}, { $set: { label: 7, scopes: { read: true }, createdAt: 'yesterday' } });
    await db.collection('tokens').insertOne({ userId: 'ada', createdAt: new Date() });
    const listed = await tokens.listOf('ada');
    expect(listed).toMatchObject([{ id, userId: 'ada', scopes: [] }]);
    expect(listed[0]).not.toHaveProperty('label');
    expect(listed[0]?.createdAt.getTime()).toBeNaN();
  });

  it('are neither counted nor revoked where they are tokens of another program', async () => {
    await users.insertOne({ _id: 'ada' });
    const foreign = db.collection<{ _id: ObjectId | string }>('tokens');
    const theirs = [new ObjectId(), 'ada-1', newId().toUpperCase()].map((_id) => ({
      _id,
      userId: 'ada',
      createdAt: new Date(),
      scopes: 'all',
    }));
    await foreign.insertMany(theirs);
    const tokens = new MongoTokenRepository(db, { maxPerUser: 2 });
    const heard: unknown[] = [];
    await using _subscription = await tokens.revocations.subscribe(
      (revocation) => heard.push(revocation),
      () => undefined,
    );
    const own = [await tokens.issue('ada'), await tokens.issue('ada')].map(({ id }) => id);
    await expect(tokens.issue('ada')).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    expect((await tokens.listOf('ada')).map(({ id }) => id)).toEqual(own);
    expect(await tokens.revokeAllOf('ada')).toBe(2);
    expect(heard).toHaveLength(2);
    expect(heard).toEqual(expect.arrayContaining(own.map((tokenId) => ({ tokenId }))));
    for (const each of theirs) expect(await foreign.findOne({ _id: each._id })).toEqual(each);
  });

  it.each([['nothing'], [null], ['some day']])(
    'are extended and rotated, as if issued just now, where they say %o of when they were issued',
    async (createdAt) => {
      await users.insertOne({ _id: 'ada' });
      const tokens = new MongoTokenRepository(db);
      const { id } = await tokens.issue('ada', { ttlMs: 30_000 });
      const update = createdAt === 'nothing' ? { $unset: { createdAt: 1 } as const } : { $set: { createdAt } };
      await db.collection('tokens').updateMany({}, update);
      const extended = await tokens.extend(id, { ttlMs: 120_000, maxAgeMs: 60_000 });
      const rotated = await tokens.rotate(id, { graceMs: 1_000, ttlMs: 120_000, maxAgeMs: 60_000 });
      for (const end of [extended, rotated?.expiresAt]) expect(Math.abs(end!.getTime() - Date.now() - 60_000)).toBeLessThan(20_000);
      expect((await tokens.findById(rotated!.id))?.user?.id).toBe('ada');
    },
  );

  it.each([{ useBigInt64: true }, { promoteLongs: false }, { promoteBuffers: true }])(
    'have long integers, and change nothing by that for a client with %j',
    async (options) => {
      await using client = new MongoClient(url, options);
      const own = client.db(db.databaseName);
      const one = Long.fromNumber(1);
      const index = { name: 'of another driver', key: { expiresAt: one }, expireAfterSeconds: Long.fromNumber(86_400) };
      await db.command({ createIndexes: 'tokens', indexes: [index] });
      await ensureIndexes(own);
      await ensureIndexes(own);
      await users.insertMany([{ _id: Long.fromString('9007199254740993') }, { _id: Long.fromNumber(7) }]);
      await using tokens = new MongoTokenRepository(own, { maxPerUser: 2, cache: true });
      for (const userId of ['9007199254740993', '7']) {
        const { id } = await tokens.issue(userId);
        expect((await tokens.findById(id))?.user?.id).toBe(userId);
        expect(await tokens.rotate(id, { graceMs: 10_000 })).toMatchObject({ userId });
        await db.collection('tokens').updateMany({ slot: 0 }, { $set: { slot: Long.ZERO } });
        await tokens.issue(userId);
        await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
        expect(await tokens.revokeAllOf(userId)).toBeGreaterThan(0);
      }
    },
  );
});
