import { inspect } from 'node:util';
import type { Db } from 'mongodb';
import { expect, it } from 'vitest';
import { httpSessionReaderContract } from 'ws-with/testing';
import { describeOnMongo, openDatabase } from '../../../test/adapters/mongodb/mongo.js';
import { digestOf } from '../src/http-sessions.js';
import { MongoHttpSessionReader } from '../src/mongo-http-session-reader.js';

/** Sessions of a database that fails once it is told to. */
function faultySessions(db: Db) {
  let isDown = false;
  const failing = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => {
          if (isDown) throw new Error('the database is down');
          return Reflect.apply(member, target, given);
        };
      },
    });
  const faulty = new Proxy(db, {
    get: (_db, name) => (name === 'collection' ? (...given: [string]) => failing(db.collection(...given)) : Reflect.get(db, name)),
  });
  const sessions = new MongoHttpSessionReader(faulty, { cookie: 'sessionid', ttlMs: 60_000 });
  const down = (): void => {
    isDown = true;
  };
  return { sessions, failures: { down } };
}

describeOnMongo('HTTP sessions on MongoDB', () => {
  const { db } = openDatabase();
  const sessions = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: 60_000 });
  const contract = httpSessionReaderContract({
    create: () => ({
      ...faultySessions(db),
      async createSession(userId, data) {
        const cookie = await sessions.create(userId, data);
        return { id: digestOf(cookie), cookie: `sessionid=${cookie}` };
      },
      destroySession: ({ id = '' }) => sessions.destroy(id),
    }),
  });
  it.each(contract)('$name', ({ run }) => run());

  it('are gone when their time is up, whether or not they were removed', async () => {
    const brief = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: 1 });
    const session = await sessions.readById(digestOf(await sessions.create('ada')));
    expect(session).toBeDefined();
    const id = digestOf(await brief.create('ada'));
    await expect.poll(() => brief.readById(id)).toBeUndefined();
    expect(await db.collection('httpSessions').countDocuments({ userId: 'ada' })).toBeGreaterThan(1);
  });

  it('show their cookie to nobody, the database included', async () => {
    const cookie = await sessions.create('ada', { theme: 'dark' });
    const session = await sessions.readById(digestOf(cookie));
    expect(session?.data).toEqual({ theme: 'dark' });
    expect(inspect(session) + JSON.stringify(session)).not.toContain(cookie);
    expect(JSON.stringify(await db.collection('httpSessions').find().toArray())).not.toContain(cookie);
  });

  it('are listed by user, those that have ended left out', async () => {
    const brief = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: 1 });
    const [first, second] = [await sessions.create('eve', { n: 1 }), await sessions.create('eve', { n: 2 })];
    const over = digestOf(await brief.create('eve', { n: 3 }));
    await expect.poll(() => brief.readById(over)).toBeUndefined();
    expect(new Set((await sessions.listOf('eve')).map(({ id }) => id))).toEqual(new Set([digestOf(first), digestOf(second)]));
    await sessions.destroy(digestOf(first));
    expect((await sessions.listOf('eve')).map(({ data }) => data)).toEqual([{ n: 2 }]);
    expect(await sessions.listOf('nobody')).toEqual([]);
  });
});
