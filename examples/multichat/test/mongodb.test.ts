import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeOnMongo, openDatabase, url as serverUrl } from '../../../test/adapters/mongodb/mongo.js';
import { buildChat, type ChatProcess, killAll, startChat } from './support/chat-process.js';
import { type Page, Visitor } from './support/visitor.js';

const annHerself = { id: '1', name: 'ann', staff: false };
const bobHimself = { id: '2', name: 'bob', staff: true };

describeOnMongo('MultiChat on MongoDB, in two processes', () => {
  const { db } = openDatabase();
  const url = databaseUrl(serverUrl, db.databaseName);
  let first: ChatProcess;
  let second: ChatProcess;
  beforeAll(buildChat, 60_000);
  beforeEach(async () => {
    for (const name of ['events', 'presence', 'tokens', 'channelSessions']) await db.collection(name).deleteMany({});
    [first, second] = await Promise.all([startChat(url), startChat(url)]);
  });
  afterEach(killAll);
  afterAll(killAll);

  async function joined(visitor: Visitor, room: string): Promise<Page> {
    const page = await visitor.open();
    page.send({ command: 'join', room });
    await page.next('joined');
    // An answer to a later message: what the one before changed is saved.
    await page.rest();
    return page;
  }

  const annOn = (chat: ChatProcess) => new Visitor(chat.url).logIn('ann', 'lemonade');
  const bobOn = (chat: ChatProcess) => new Visitor(chat.url).logIn('bob', 'bicycle');

  /** The same browser, which talks to another process now. */
  function elsewhere({ cookie }: Visitor, chat: ChatProcess): Visitor {
    const visitor = new Visitor(chat.url);
    visitor.cookie = cookie;
    return visitor;
  }

  it('serves one log-in on both', async () => {
    const ann = elsewhere(await annOn(first), second);
    expect(await (await ann.get('/me')).json()).toEqual(annHerself);
    expect((await ann.open()).welcome).toMatchObject({ you: annHerself, joined: [] });
  });

  it('lets people on different processes see each other come, type, write and go', async () => {
    const annsPage = await joined(await annOn(first), 'lobby');
    const bobsPage = await joined(await bobOn(second), 'lobby');
    expect(await annsPage.next('enter')).toMatchObject({ room: 'lobby', user: bobHimself });

    bobsPage.send({ command: 'typing', room: 'lobby' });
    expect(await annsPage.next('typing')).toEqual({ event: 'typing', room: 'lobby', user: bobHimself });
    bobsPage.send({ command: 'send', room: 'lobby', text: 'Hello over there' });
    const onFirst = await annsPage.next('message');
    expect(onFirst).toMatchObject({ room: 'lobby', from: bobHimself, text: 'Hello over there' });
    expect(await bobsPage.next('message')).toEqual(onFirst);
    annsPage.send({ command: 'send', room: 'lobby', text: '$literal, { $set: { a: 1 } }' });
    expect(await bobsPage.next('message')).toMatchObject({ from: annHerself, text: '$literal, { $set: { a: 1 } }' });

    bobsPage.socket.terminate();
    expect(await annsPage.next('leave')).toMatchObject({ room: 'lobby', user: bobHimself });
  });

  it('tells who comes in of everybody who is there', async () => {
    await joined(await annOn(first), 'lobby');
    const bobsPage = await (await bobOn(second)).open();
    await expect.poll(() => db.collection('presence').countDocuments({ 'rooms.people.id': '1' })).toBe(1);
    bobsPage.send({ command: 'join', room: 'lobby' });
    expect((await bobsPage.next('joined')).people).toEqual(expect.arrayContaining([annHerself, bobHimself]));
  });

  it('lets two pages of a member share their rooms, wherever each of them is', async () => {
    const watcher = await joined(await bobOn(second), 'music');
    const ann = await annOn(first);
    const here = await ann.open();
    const there = await elsewhere(ann, second).open();
    here.send({ command: 'join', room: 'music' });
    await here.next('joined');
    expect(await there.next('joined')).toMatchObject({ room: 'music' });
    await watcher.next('enter');
    there.send({ command: 'send', room: 'music', text: 'Both of me' });
    await there.next('message');
    await here.next('message');

    there.send({ command: 'leave', room: 'music' });
    await there.next('left');
    expect(await here.next('left')).toEqual({ event: 'left', room: 'music' });
    expect(await watcher.next('leave')).toMatchObject({ user: annHerself });
    await there.rest();
    // Both changed one session: neither is lost.
    here.send({ command: 'join', room: 'lobby' });
    await here.next('joined');
    await here.rest();
    expect((await ann.open()).welcome.joined.map(({ room }) => room)).toEqual(['lobby']);
  });

  it('shows the last 50 messages to whoever comes in, on whatever process', async () => {
    const page = await joined(await annOn(first), 'lobby');
    for (let number = 1; number <= 51; number += 1) page.send({ command: 'send', room: 'lobby', text: `Message ${number}` });
    for (let number = 1; number <= 51; number += 1) await page.next('message');
    const bobsPage = await joined(await bobOn(second), 'lobby');
    bobsPage.send({ command: 'history', room: 'lobby' });
    const { messages } = await bobsPage.next('history');
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, index) => `Message ${index + 2}`));
  });

  it('loses no log-in, no message and no list of rooms when a process is killed', async () => {
    const ann = await annOn(first);
    const page = await joined(ann, 'lobby');
    page.send({ command: 'join', room: 'music' });
    await page.next('joined');
    page.send({ command: 'send', room: 'lobby', text: 'Remember me' });
    const message = await page.next('message');
    const watcher = await joined(await bobOn(second), 'lobby');
    await first.kill();
    await page.closed;
    watcher.send({ command: 'send', room: 'lobby', text: 'Are you still there?' });
    await watcher.next('message');

    const restarted = elsewhere(ann, await startChat(url));
    expect((await restarted.get('/me')).status).toBe(200);
    const again = await restarted.open();
    expect(again.welcome.joined.map(({ room }) => room)).toEqual(['lobby', 'music']);
    again.send({ command: 'history', room: 'lobby' });
    const { messages } = await again.next('history');
    expect(messages.map(({ text }) => text)).toEqual(['Remember me', 'Are you still there?']);
    expect(messages[0]?.id).toBe(message.id);
    again.send({ command: 'send', room: 'lobby', text: 'I am' });
    expect(await watcher.next('message')).toMatchObject({ from: annHerself, text: 'I am' });
  });

  it('drops those who were on a process that died', async () => {
    await joined(await annOn(first), 'lobby');
    const watcher = await (await bobOn(second)).open();
    watcher.send({ command: 'join', room: 'lobby' });
    await watcher.next('joined');
    await expect.poll(() => db.collection('presence').countDocuments({ 'rooms.people.id': '1' })).toBe(1);
    await first.kill();
    // As if its time were over: the next beat of the other process finds that.
    await db.collection('presence').updateMany({ 'rooms.people.id': '1' }, [{ $set: { expiresAt: '$$NOW' } }]);
    expect(await watcher.next('leave')).toMatchObject({ room: 'lobby', user: annHerself });
  });

  it.each(['token', 'session'])('ends a log-in on both with --auth=%s: its pages are closed, and it is refused', async (auth) => {
    if (auth === 'session') [first, second] = await Promise.all([startChat(url, '--auth=session'), startChat(url, '--auth=session')]);
    const ann = await annOn(first);
    const annThere = elsewhere(ann, second);
    const [here, there] = [await ann.open(), await annThere.open()];
    const phone = await (await annOn(second)).open();
    await ann.post('/logout');
    const why = { code: 3000, reason: auth === 'token' ? 'token revoked' : 'session ended' };
    expect(await here.closed).toEqual(why);
    expect(await there.closed).toEqual(why);
    expect((await annThere.get('/me')).status).toBe(401);
    expect(await annThere.refusal()).toBe(401);
    expect(await phone.rest()).toEqual([]);

    // Another device, connected to the other process: ended from a list, and with all others.
    const desk = await annOn(first);
    const [atDesk, devices] = [await desk.open(), (await (await desk.get('/devices')).json()) as { id: string; isThis: boolean }[]];
    const other = devices.find(({ isThis }) => !isThis);
    expect((await desk.post('/devices/end', { id: other?.id ?? '' })).status).toBe(204);
    expect(await phone.closed).toEqual(why);
    const tablet = await (await annOn(second)).open();
    await desk.post('/logout-everywhere');
    for (const page of [atDesk, tablet]) expect(await page.closed).toEqual(why);
  });

  it('keeps HTTP sessions as well: with --auth=session a log-in outlives the process that began it', async () => {
    const chat = await startChat(url, '--auth=session');
    const ann = await annOn(chat);
    await joined(ann, 'kitchen');
    await chat.kill();
    const restarted = elsewhere(ann, await startChat(url, '--auth=session'));
    expect((await restarted.open()).welcome).toMatchObject({ you: annHerself, joined: [{ room: 'kitchen' }] });
  });

  it('ends when it is asked to, and says goodbye', async () => {
    const page = await joined(await annOn(first), 'lobby');
    const watcher = await joined(await bobOn(second), 'lobby');
    const ended = first.kill('SIGTERM');
    expect(await page.closed).toMatchObject({ code: 1012 });
    expect(await ended).toBe(0);
    expect(await watcher.next('leave')).toMatchObject({ user: annHerself });
    expect([first.problems, second.problems]).toEqual([[], []]);
  });

  it('leaves members as somebody has changed them', async () => {
    const users = db.collection<{ _id: string }>('users');
    await users.updateOne({ _id: '4' }, { $set: { staff: true } });
    const third = await startChat(url);
    const dev = await new Visitor(third.url).logIn('dev', 'dandelion');
    expect(await (await dev.get('/me')).json()).toEqual({ id: '4', name: 'dev', staff: true });
    expect(await users.countDocuments()).toBe(4);
  });
});

function databaseUrl(server: string, name: string): string {
  const url = new URL(server || 'mongodb://127.0.0.1');
  url.pathname = `/${name}`;
  return url.href;
}
