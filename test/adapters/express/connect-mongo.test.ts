import MongoStore from 'connect-mongo';
import { describe, expect, it } from 'vitest';
import { ExpressSessionReader, ExpressSessionStore } from '../../../entries/express.js';
import { httpSessionReaderContract, sessionStoreContract } from '../../../entries/testing.js';
import { expectProcessToLive } from '../../support/site.js';
import { describeOnMongo, openDatabase } from '../mongodb/mongo.js';
import { asked, cookieOf, held, readerFixture, requestWith, sessionMiddleware, stored } from './express-site.js';

expectProcessToLive();

describeOnMongo('connect-mongo', () => {
  const { db } = openDatabase();
  const makeStore = (options: object = {}) =>
    MongoStore.create({ client: db.client as never, dbName: db.databaseName, collectionName: 'sessions', ...options });
  const store = makeStore();
  const reader = new ExpressSessionReader(sessionMiddleware({ store }), { store, touchWhileOpen: true });

  describe('as the store of HTTP sessions', () => {
    it.each(httpSessionReaderContract({ create: () => readerFixture(reader, store) }))('$name', ({ run }) => run());
  });

  describe('as a store of channel sessions', () => {
    const channelSessions = new ExpressSessionStore(store);
    it.each(sessionStoreContract({ create: () => channelSessions, weaker: ['touched-expiry'] }))('$name', ({ run }) => run());
  });

  it('revives a session that is set after it was destroyed, and save does not', async () => {
    const id = await stored(store, { userId: 'ada' });
    const session = await reader.read(requestWith(cookieOf(id)));
    const kept = await asked<object>((done) => store.get(id, done as never));
    await asked((done) => store.destroy(id, done));
    if (session !== undefined) session.data.theme = 'light';
    await expect(session?.save()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
    expect(await held(store, id)).toBeUndefined();
    await asked((done) => store.set(id, kept as never, done));
    expect(await held(store, id)).toEqual({ userId: 'ada' });
  });

  it('is touched, and keeps what it holds; what is gone stays so', async () => {
    const [id, gone] = [await stored(store, { userId: 'ada' }, 60_000), await stored(store, {}, 60_000)];
    await asked((done) => store.destroy(gone, done));
    const endOf = async () => (await db.collection('sessions').findOne({ _id: id as never }))?.expires as Date;
    await db.collection('sessions').updateOne({ _id: id as never }, { $set: { expires: new Date(Date.now() + 20_000) } });
    await reader.touchMany([id, gone]);
    expect((await endOf()).getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(await held(store, id)).toEqual({ userId: 'ada' });
    expect(await held(store, gone)).toBeUndefined();
  });

  it('may keep sessions as documents: what is not changed stays of its type', async () => {
    const documents = makeStore({ collectionName: 'documents', stringify: false });
    const at = new Date(1_750_000_000_000);
    const id = await stored(documents, { userId: 'ada', at });
    const session = await new ExpressSessionReader(sessionMiddleware({ store: documents })).read(requestWith(cookieOf(id)));
    expect(session?.data.at).toEqual(at);
    if (session !== undefined) session.data.theme = 'light';
    await session?.save();
    expect(await held(documents, id)).toEqual({ userId: 'ada', at, theme: 'light' });
  });
});
