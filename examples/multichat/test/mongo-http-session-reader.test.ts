import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { httpSessionReaderContract } from 'ws-with/testing';
import { describeOnMongo, openDatabase } from '../../../test/adapters/mongodb/mongo.js';
import { MongoHttpSessionReader } from '../src/mongo-http-session-reader.js';

describeOnMongo('HTTP sessions on MongoDB', () => {
  const { db } = openDatabase();
  const sessions = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: 60_000 });
  const contract = httpSessionReaderContract({
    create: () => ({
      sessions,
      async createSession(userId, data) {
        const id = await sessions.create(userId, data);
        return { id, cookie: `sessionid=${id}` };
      },
      destroySession: ({ id = '' }) => sessions.destroy(id),
    }),
  });
  it.each(contract)('$name', ({ run }) => run());

  it('are gone when their time is up, whether or not they were removed', async () => {
    const brief = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: 1 });
    const session = await sessions.readById(await sessions.create('ada'));
    expect(session).toBeDefined();
    const id = await brief.create('ada');
    await expect.poll(() => brief.readById(id)).toBeUndefined();
    expect(await db.collection('httpSessions').countDocuments({ userId: 'ada' })).toBeGreaterThan(1);
  });

  it('show their id to nobody, the database included', async () => {
    const id = await sessions.create('ada', { theme: 'dark' });
    const session = await sessions.readById(id);
    expect(session?.id).toBe(id);
    expect(inspect(session) + JSON.stringify(session)).not.toContain(id);
    expect(JSON.stringify(await db.collection('httpSessions').find().toArray())).not.toContain(id);
  });
});
