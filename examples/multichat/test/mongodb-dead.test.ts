import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeOnMongo } from '../../../test/adapters/mongodb/mongo.js';
import { eventually } from '../../../test/support/eventually.js';
import { type Mongod, startMongod } from '../../../test/support/mongod.js';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.js';
import { mongoBackend } from '../src/mongo-backend.js';
import { type MultiChat, type MultiChatOptions, startMultiChat } from '../src/multichat.js';
import { joined, type Page, Visitor } from './support/visitor.js';

const timeout = 60_000;
/** For tests of a database that stays away: by default the chat gives it up after some seconds. */
const reachMs = 1_000;
const impatient = { live: { revalidate: { everyMs: 500 }, maxStaleMs: 0 } };

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

  async function startChat(port: number, options: Partial<MultiChatOptions> = {}): Promise<MultiChat> {
    const backend = mongoBackend(`mongodb://127.0.0.1:${port}/multichat?directConnection=true`, { reachMs });
    // one that is impatient may have to try more than once on a busy machine
    const chat = await eventually(() => startMultiChat({ auth: 'token', backend, ...options }));
    chats.push(chat);
    return chat;
  }

  /** Waits until a page hears `text`; what it had missed may come before. */
  async function heard(page: Page, text: string): Promise<void> {
    while ((await page.next('message')).text !== text);
  }

  async function send(page: Page, text: string): Promise<void> {
    page.write('lobby', text);
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
    expect(await ann.refusal()).toBe(1013);
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

  it('answers by 503 where a session cannot be looked up, and goes on later', { timeout }, async () => {
    const chat = await startChat(proxy.port, { ...impatient, auth: 'session' });
    const ann = await new Visitor(chat.url).logIn('ann', 'lemonade');
    const page = await ann.open();
    proxy.setMode('refuse');
    for (const path of ['/', '/me', '/devices']) expect((await ann.get(path)).status).toBe(503);
    const form = await ann.post('/login', { name: 'cleo', password: 'cinnamon' });
    expect([form.status, await form.text()]).toEqual([503, expect.stringContaining('value="cleo"')]);
    expect(await page.closed).toMatchObject({ code: 1013 });
    expect(await ann.refusal()).toBe(1013);
    proxy.setMode('forward');
    await isBack(ann);
    await (await ann.open()).close();
  });

  it('loses nothing when the database is killed and started again', { timeout }, async () => {
    const behindProxy = await startChat(proxy.port, impatient);
    const ann = await new Visitor(behindProxy.url).logIn('ann', 'lemonade');
    const annsPage = await joined(ann, 'lobby');
    await send(annsPage, 'Before');
    await mongod.kill();
    // a message is not lost: its writer is told to send it again, if the page is not closed before that
    const told = await Promise.race([
      annsPage.request({ command: 'send', room: 'lobby', id: 'meanwhile', text: 'Meanwhile' }),
      annsPage.closed,
    ]);
    if ('error' in told) expect(told).toMatchObject({ error: 'try_again', retryAfterMs: expect.any(Number) as number });
    expect([1011, 1013]).toContain((await annsPage.closed).code);
    const page = await ann.get('/');
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await page.text()).toContain('Try again');
    expect((await new Visitor(behindProxy.url).post('/login', { name: 'ann', password: 'lemonade' })).status).toBe(503);
    await mongod.restart();
    await isBack(ann);
    const again = await ann.open();
    expect(again.welcome.joined.map(({ room }) => room)).toContain('lobby');
    await again.request({ command: 'send', room: 'lobby', id: 'meanwhile', text: 'Meanwhile' });
    await send(again, 'After');
    again.send({ command: 'history', room: 'lobby', after: 0 });
    const texts = (await again.next('history')).messages.map(({ text }) => text);
    expect(texts.slice(texts.lastIndexOf('Before'))).toEqual(['Before', 'Meanwhile', 'After']);
  });
});

it('MultiChat says so where there is no database to begin with, and leaves nothing open', { timeout }, async () => {
  await using proxy = await startTcpProxy(9);
  proxy.setMode('refuse');
  const backend = mongoBackend(`mongodb://ann:secret@127.0.0.1:${proxy.port}/multichat?directConnection=true`, { reachMs });
  const failure = await startMultiChat({ auth: 'token', backend }).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  expect(failure?.name).toBe('MongoServerSelectionError');
  expect(String(failure)).not.toContain('secret');
});
