import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Int32, Long, ObjectId } from 'mongodb';
import { beforeAll, expect, it } from 'vitest';
import { MongoTokenRepository, MongoUserRepository } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import { type TokenId, tokenIdOf } from '../../../src/token-id.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { describeOnMongo, openDatabase } from './mongo.js';

interface Member extends AuthenticatedUser {
  readonly name: string;
  readonly nickname?: string;
}

const storm = 1_000;

describeOnMongo('Look-ups of tokens in MongoDB', () => {
  const { db, commands } = openDatabase();
  // it stands still: nothing is written meanwhile, and nothing runs out of time
  const clock = new TestClock(Date.now());
  const tokens = new MongoTokenRepository(db, { clock });
  const users = db.collection<{ _id: unknown }>('users');
  let ids: TokenId[] = [];

  beforeAll(async () => {
    await users.insertMany(Array.from({ length: storm }, (_, index) => ({ _id: `user-${index}`, name: `User ${index}` })));
    const issued = await Promise.all(Array.from({ length: storm }, (_, index) => tokens.issue(`user-${index}`)));
    ids = issued.map(({ id }) => id);
  });

  it('find a token and its user with one command', async () => {
    await tokens.findById(ids[0]!);
    commands();
    const grant = await tokens.findById(ids[1]!);
    expect(grant?.user).toEqual({ _id: 'user-1', name: 'User 1', id: 'user-1', isAuthenticated: true });
    expect(commands()).toEqual(['aggregate']);
  });

  it('find no token with one command', async () => {
    commands();
    expect(await tokens.findById(tokenIdOf('f'.repeat(40)))).toBeUndefined();
    expect(commands()).toEqual(['aggregate']);
  });

  it('that arrive together, each in a turn of its own, share a few commands', async () => {
    commands();
    const grants = await Promise.all(ids.map((id) => nextTurn().then(() => tokens.findById(id))));
    expect(grants.map((grant) => grant?.user?.id)).toEqual(ids.map((_, index) => `user-${index}`));
    expect(commands().length).toBeLessThanOrEqual(20);
  });

  it('that arrive over a socket each share a few commands, in a process that has not spoken to the database yet too', async () => {
    const fresh = openDatabase();
    const repository = new MongoTokenRepository(fresh.client.db(db.databaseName), { clock });
    const commandsOfAStorm = async (): Promise<number> => {
      const found: Promise<string | undefined>[] = [];
      const server = createServer((socket) => {
        socket.once('data', (data) => {
          found.push(repository.findById(ids[Number(String(data))]!).then((grant) => grant?.user?.id));
          socket.end();
        });
      }).listen({ port: 0, host: '127.0.0.1', backlog: storm });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const sockets = ids.map(() => connect(port, '127.0.0.1').resume());
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const closed = sockets.map((socket) => once(socket, 'close'));
      for (const [index, socket] of sockets.entries()) socket.write(String(index));
      await Promise.all(closed);
      expect(new Set(await Promise.all(found))).toEqual(new Set(ids.map((_, index) => `user-${index}`)));
      server.close();
      await once(server, 'close');
      return fresh.commands().length;
    };
    expect(await commandsOfAStorm()).toBeLessThanOrEqual(60);
    expect(await commandsOfAStorm()).toBeLessThanOrEqual(20);
  });

  it('of more tokens than fit into one batch are split, and the same token is asked for once', async () => {
    commands();
    const many = Array.from({ length: 2_500 }, (_, index) => ids[index % storm]!);
    const grants = await Promise.all(many.map((id) => tokens.findById(id)));
    expect(grants.every((grant) => grant?.user !== undefined)).toBe(true);
    expect(commands()).toEqual(['aggregate', 'aggregate', 'aggregate']);
  });

  it('by several ids split into batches as well, and leave out what is not there', async () => {
    commands();
    const unknown = Array.from({ length: 2_000 }, (_, index) => tokenIdOf(`e${String(index).padStart(40, '0')}`));
    const grants = await tokens.findByIds([...unknown, ...ids]);
    expect([...grants.keys()].sort()).toEqual([...ids].sort());
    expect(commands()).toEqual(['aggregate', 'aggregate']);
  });

  it('by many lists of one id share queries, too: each ticket of a storm has its token looked up by one', async () => {
    const unknown = tokenIdOf('f'.repeat(40));
    const people = new MongoUserRepository(db);
    for (const [repository, lists] of [
      [tokens, [...ids.slice(0, 300), unknown]],
      [people, [...ids.slice(0, 300).map((_, index) => `user-${index}`), 'nobody']],
    ] as const) {
      commands();
      const found = await Promise.all(lists.map((id) => repository.findByIds([id as never])));
      expect(found.map((each) => [...each.keys()])).toEqual(lists.map((id) => (id === unknown || id === 'nobody' ? [] : [id])));
      expect(commands().length).toBeLessThanOrEqual(3);
    }
  });

  it('know users whose key is an ObjectId, an integer or a string', async () => {
    const objectId = new ObjectId();
    await users.insertMany([{ _id: objectId }, { _id: new Int32(42) }, { _id: Long.fromString('9007199254740993') }, { _id: '0042' }]);
    const people = new MongoUserRepository(db);
    for (const id of [objectId.toHexString(), '42', '0042', '9007199254740993']) {
      const { id: tokenId } = await tokens.issue(id);
      expect((await tokens.findById(tokenId))?.user?.id).toBe(id);
      expect((await people.findById(id))?.id).toBe(id);
    }
    expect(await people.findById('042')).toBeUndefined();
  });

  it('take the user whose key is a string where an ObjectId looks the same', async () => {
    const objectId = new ObjectId();
    await users.insertMany([
      { _id: objectId, kind: 'ObjectId' },
      { _id: objectId.toHexString(), kind: 'string' },
    ] as never[]);
    const { id } = await tokens.issue(objectId.toHexString());
    expect((await tokens.findById(id))?.user).toMatchObject({ kind: 'string' });
  });

  it('find a token that was stored with the key of its user as an ObjectId', async () => {
    const _id = new ObjectId();
    await users.insertOne({ _id });
    const id = tokenIdOf('d'.repeat(40));
    await db.collection<{ _id: string }>('tokens').insertOne({ _id: id, userId: _id, createdAt: new Date() } as never);
    expect((await tokens.findById(id))?.user?.id).toBe(_id.toHexString());
    expect(await tokens.revokeAllOf(_id.toHexString())).toBe(1);
  });

  it('find the user of a token that was stored with its key as a string, with one more command', async () => {
    const [_id, id] = [new ObjectId(), tokenIdOf('b'.repeat(40))];
    await users.insertOne({ _id });
    await db.collection<{ _id: string }>('tokens').insertOne({ _id: id, userId: _id.toHexString(), createdAt: new Date() } as never);
    commands();
    expect((await tokens.findById(id))?.user?.id).toBe(_id.toHexString());
    expect(commands()).toEqual(['aggregate', 'aggregate']);
  });

  it('find users whose key is an ObjectId with one command', async () => {
    const _id = new ObjectId();
    await users.insertOne({ _id });
    const { id } = await tokens.issue(_id.toHexString());
    commands();
    expect((await tokens.findById(id))?.user?.id).toBe(_id.toHexString());
    expect(commands()).toEqual(['aggregate']);
  });

  it('give no user where isActive is false, and nothing a document says makes it another one', async () => {
    await users.insertMany([
      { _id: 'disabled', isActive: false },
      { _id: 'liar', id: 'admin', isAuthenticated: false },
    ] as never[]);
    const disabled = await tokens.findById((await tokens.issue('disabled')).id);
    expect(disabled).toBeDefined();
    expect(disabled?.user).toBeUndefined();
    expect((await tokens.findById((await tokens.issue('liar')).id))?.user).toMatchObject({ id: 'liar', isAuthenticated: true });
  });

  it('fail for a token that cannot be read, and for that one only', async () => {
    const id = tokenIdOf('c'.repeat(40));
    await db.collection<{ _id: string }>('tokens').insertOne({ _id: id, userId: 'user-1', expiresAt: 'soon' } as never);
    const [bad, good] = await Promise.allSettled([tokens.findById(id), tokens.findById(ids[1]!)]);
    expect(bad.status).toBe('rejected');
    expect(good).toMatchObject({ status: 'fulfilled', value: { user: { id: 'user-1' } } });
    await expect(tokens.findByIds([id])).rejects.toThrow(Error);
  });

  it('of several at once fail for a token that cannot be read, and for that one only', async () => {
    const id = tokenIdOf('unreadable'.repeat(4));
    await db.collection<{ _id: string }>('tokens').insertOne({ _id: id, userId: 'user-1', revokedAt: 'soon' } as never);
    const gone = tokenIdOf('nowhere-to-be-found'.repeat(2));
    const grants = await tokens.findByIds([id, ids[1]!, gone]);
    expect(grants.get(ids[1]!)?.user?.id).toBe('user-1');
    expect(() => grants.get(id)?.user).toThrow(/cannot be read/);
    expect(grants.has(gone)).toBe(false);
    expect((await tokens.findByIds([id, gone])).has(gone)).toBe(false); // who is gone ends all the same
  });
});

describeOnMongo('Users in MongoDB', () => {
  const { db, commands } = openDatabase();
  const user = { _id: new ObjectId(), uuid: 'u-1', username: 'ada', is_active: true };

  const map = (document: { uuid: string; username: string; is_active: boolean; profile?: { nickname: string } }): Member | undefined =>
    document.is_active
      ? {
          id: document.uuid,
          isAuthenticated: true,
          name: document.username,
          ...(document.profile && { nickname: document.profile.nickname }),
        }
      : undefined;
  const options = { collection: 'people', key: 'uuid', profile: { collection: 'profiles', foreignField: 'user' }, map };

  beforeAll(async () => {
    await db
      .collection<{ _id: unknown }>('people')
      .insertMany([
        user,
        { _id: new ObjectId(), uuid: 'u-2', username: 'bob', is_active: true },
        { _id: new ObjectId(), uuid: 'u-3', username: 'eve', is_active: false },
        { _id: new ObjectId(), username: 'without a key', is_active: true },
      ] as never[]);
    await db.collection('profiles').insertOne({ user: 'u-1', nickname: 'countess' });
  });

  it('have a collection, a key, a profile and a mapper of their own, in one command with the token', async () => {
    const tokens = new MongoTokenRepository(db, { users: options });
    const { id } = await tokens.issue('u-1');
    commands();
    const grant = await tokens.findById(id);
    expect(grant?.user).toEqual({ id: 'u-1', isAuthenticated: true, name: 'ada', nickname: 'countess' });
    expect(commands()).toEqual(['aggregate']);
  });

  it('without a profile are users all the same', async () => {
    const people = new MongoUserRepository(db, options);
    expect(await people.findById('u-2')).toEqual({ id: 'u-2', isAuthenticated: true, name: 'bob' });
  });

  it('that the mapper leaves out are disabled', async () => {
    const tokens = new MongoTokenRepository(db, { users: options });
    const grant = await tokens.findById((await tokens.issue('u-3')).id);
    expect(grant?.user).toBeUndefined();
    expect([...(await new MongoUserRepository(db, options).findByIds(['u-1', 'u-3', 'u-9'])).keys()]).toEqual(['u-1']);
  });

  it('whose profile is joined keep the rest of their document', async () => {
    const people = new MongoUserRepository(db, {
      collection: 'people',
      profile: { collection: 'profiles', foreignField: 'owner', as: 'extra' },
    });
    await db.collection('profiles').insertOne({ owner: user._id.toHexString(), theme: 'dark' });
    expect(await people.findById(user._id.toHexString())).toMatchObject({ ...user, id: user._id.toHexString(), extra: { theme: 'dark' } });
  });

  it('may have their profile in another of their fields', async () => {
    const people = new MongoUserRepository(db, { collection: 'people', key: 'uuid', profile: { ...options.profile, as: 'more.profile' } });
    expect(await people.findById('u-1')).toMatchObject({ id: 'u-1', more: { profile: { nickname: 'countess' } } });
  });

  it('whose mapper is asynchronous are not found, and it is the mapper that is named', async () => {
    const later = { ...options, map: (async () => Promise.reject(new Error('nobody waits'))) as never };
    await expect(new MongoUserRepository(db, later).findById('u-1')).rejects.toThrow(/^users\.map must return .* at once/);
    const tokens = new MongoTokenRepository(db, { users: later });
    await expect(tokens.findById((await tokens.issue('u-1')).id)).rejects.toThrow(/^users\.map must return .* at once/);
  });

  it('whose mapper throws fail alone', async () => {
    const careless = {
      ...options,
      map(document: { uuid: string }): AuthenticatedUser {
        if (document.uuid === 'u-1') throw new Error('no such field');
        // code that is not ours may throw anything
        if (document.uuid === 'u-2') throw 'a string';
        return { id: document.uuid, isAuthenticated: true };
      },
    };
    const people = new MongoUserRepository(db, careless);
    const tokens = new MongoTokenRepository(db, { users: careless });
    const results = await Promise.allSettled(['u-1', 'u-2', 'u-3'].map((id) => people.findById(id)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    await expect(people.findByIds(['u-1'])).rejects.toThrow(Error);
    const found = await people.findByIds(['u-1', 'u-2', 'u-3', 'u-4']);
    expect(found.get('u-3')?.id).toBe('u-3');
    for (const id of ['u-1', 'u-2']) expect(() => found.get(id)?.id).toThrow(Error);
    expect(found.size).toBe(3);
    for (const id of ['u-1', 'u-2']) await expect(tokens.findById((await tokens.issue(id)).id)).rejects.toThrow(Error);
  });

  it('that are looked up together share a command', async () => {
    const people = new MongoUserRepository(db, options);
    commands();
    await Promise.all(['u-1', 'u-2', 'u-3'].map((id) => people.findById(id)));
    expect(commands()).toEqual(['aggregate']);
  });
});
