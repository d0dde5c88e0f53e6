import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeOnMongo } from '../../../test/adapters/mongodb/mongo.js';
import { startTcpProxy, type TcpProxy } from '../../../test/adapters/mongodb/tcp-proxy.js';
import { eventually } from '../../../test/support/eventually.js';
import { type Mongod, startMongod } from '../../../test/support/mongod.js';
import type { RoomEvent } from '../src/event-log.js';
import { type MongoPatience, mongoBackend } from '../src/mongo-backend.js';
import { MongoEventLog } from '../src/mongo-event-log.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { type Page, Visitor } from './support/visitor.js';

const timeout = 60_000;
/** For tests of a database that stays away: by default the chat gives it up after some seconds. */
const impatient = { reachMs: 1_000, unnoticedMs: 0 };

describeOnMongo('MultiChat, where MongoDB is out of reach', () => {
  let mongod: Mongod;
  let proxy: TcpProxy;
  beforeAll(async () => {
    mongod = await startMongod();
  }, 60_000);
  afterAll(() => mongod?.stop(), 60_000);
  beforeEach(async () => {
    proxy = await startTcpProxy(mongod.port);
  });
  afterEach(async () => {
    await Promise.all(chats.splice(0).map((chat) => chat.close()));
    await proxy[Symbol.asyncDispose]();
  }, timeout);

  const chats: MultiChat[] = [];

  async function startChat(port: number, patience?: MongoPatience): Promise<MultiChat> {
    const backend = mongoBackend(`mongodb://127.0.0.1:${port}/multichat?directConnection=true`, patience);
    // One that is impatient may have to try more than once on a busy machine.
    const chat = await eventually(() => startMultiChat({ auth: 'token', backend }));
    chats.push(chat);
    return chat;
  }

  async function joined(visitor: Visitor, room: string): Promise<Page> {
    const page = await visitor.open();
    page.send({ command: 'join', room });
    await page.next('joined');
    await page.rest();
    return page;
  }

  /** Waits until a page hears `text`; what it had missed may come before. */
  async function heard(page: Page, text: string): Promise<void> {
    while ((await page.next('message')).text !== text);
  }

  async function send(page: Page, text: string): Promise<void> {
    page.send({ command: 'send', room: 'lobby', text });
    await heard(page, text);
  }

  async function isBack(visitor: Visitor): Promise<void> {
    await expect.poll(async () => (await visitor.get('/me')).status, { timeout: 30_000 }).toBe(200);
  }

  it('takes up again, unnoticed, what a broken connection has cut', { timeout }, async () => {
    const [behindProxy, direct] = await Promise.all([startChat(proxy.port), startChat(mongod.port)]);
    const annsPage = await joined(await new Visitor(behindProxy.url).logIn('ann', 'lemonade'), 'lobby');
    const bobsPage = await joined(await new Visitor(direct.url).logIn('bob', 'bicycle'), 'lobby');
    proxy.setMode('refuse');
    await send(bobsPage, 'Can you hear me?');
    proxy.setMode('forward');
    await heard(annsPage, 'Can you hear me?');
    await send(annsPage, 'Yes.');
    await heard(bobsPage, 'Yes.');
  });

  it('closes the pages of the process that is cut off, refuses them for now, and goes on later', { timeout }, async () => {
    const [behindProxy, direct] = await Promise.all([startChat(proxy.port, impatient), startChat(mongod.port)]);
    const ann = await new Visitor(behindProxy.url).logIn('ann', 'lemonade');
    const annsPage = await joined(ann, 'lobby');
    const bobsPage = await joined(await new Visitor(direct.url).logIn('bob', 'bicycle'), 'lobby');
    proxy.setMode('refuse');
    expect(await annsPage.closed).toMatchObject({ code: 1013 });
    expect(await ann.refusal()).toBe(503);
    expect((await ann.get('/me')).status).toBe(503);
    await send(bobsPage, 'Where has everybody gone?');

    proxy.setMode('forward');
    await isBack(ann);
    const again = await ann.open();
    expect(again.welcome.joined.map(({ room }) => room)).toContain('lobby');
    again.send({ command: 'history', room: 'lobby' });
    expect((await again.next('history')).messages.at(-1)).toMatchObject({ text: 'Where has everybody gone?' });
    await expect.poll(() => direct.channels.channels.size).toBe(1);
    await send(again, 'Back.');
    await heard(bobsPage, 'Back.');
  });

  it('loses nothing when the database is killed and started again', { timeout }, async () => {
    const behindProxy = await startChat(proxy.port, impatient);
    const ann = await new Visitor(behindProxy.url).logIn('ann', 'lemonade');
    const annsPage = await joined(ann, 'lobby');
    await send(annsPage, 'Before');
    await mongod.kill();
    annsPage.send({ command: 'send', room: 'lobby', text: 'Meanwhile' });
    expect([1011, 1013]).toContain((await annsPage.closed).code);
    expect((await ann.get('/me')).status).toBe(503);
    await mongod.restart();
    await isBack(ann);
    const again = await ann.open();
    expect(again.welcome.joined.map(({ room }) => room)).toContain('lobby');
    await send(again, 'After');
  });

  it('tells what was missed, once and in order', { timeout }, async () => {
    const client = new MongoClient(mongod.url);
    try {
      const db = client.db('log');
      const told: RoomEvent[] = [];
      const log = new MongoEventLog(db);
      log.onEvent = (event) => told.push(event);
      await log.catchUp(new Date());
      const by = { id: '1', name: 'ann', staff: false };
      const events = ['first', 'second', 'third'].map((text, index) => {
        return { _id: text, kind: 'send' as const, room: 'lobby', by, text, at: new Date(Date.now() + index) };
      });
      const collection = db.collection<(typeof events)[number]>('events');
      await collection.insertMany([events[2]!, events[0]!]);
      log.tell(events[0]!);
      await log.catchUp(new Date());
      // One that was written earlier, by the clock, than what is known already.
      await collection.insertOne(events[1]!);
      await log.catchUp(new Date());
      expect(told.map(({ text }) => text)).toEqual(['first', 'third', 'second']);
    } finally {
      await client.close();
    }
  });
});

it('MultiChat says so where there is no database to begin with, and leaves nothing open', { timeout }, async () => {
  await using proxy = await startTcpProxy(9);
  proxy.setMode('refuse');
  const backend = mongoBackend(`mongodb://ann:secret@127.0.0.1:${proxy.port}/multichat?directConnection=true`, impatient);
  const failure = await startMultiChat({ auth: 'token', backend }).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  expect(failure?.name).toBe('MongoServerSelectionError');
  expect(String(failure)).not.toContain('secret');
});
