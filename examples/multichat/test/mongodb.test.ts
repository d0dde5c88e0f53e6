import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeOnMongo, openDatabase, url as serverUrl } from '../../../test/adapters/mongodb/mongo.js';
import { type ChatProcess, endOf, killAll, startChat } from './support/chat-process.js';
import { joined, Page, Visitor } from './support/visitor.js';

const annHerself = { id: '1', name: 'ann', staff: false };
const bobHimself = { id: '2', name: 'bob', staff: true };

describeOnMongo('MultiChat on MongoDB, in two processes', () => {
  const { db } = openDatabase();
  const url = databaseUrl(serverUrl, db.databaseName);
  let first: ChatProcess;
  let second: ChatProcess;
  beforeEach(async () => {
    const again = async (chat: ChatProcess | undefined): Promise<ChatProcess> => (chat?.isRunning ? chat : startChat(url));
    [first, second] = await Promise.all([again(first), again(second)]);
  });
  // both live on: what a test has left is removed
  afterEach(async () => {
    await Promise.all([...Page.open].map((page) => page.close()));
    for (const name of ['messages', 'tokens', 'channelSessions', 'httpSessions']) await db.collection(name).deleteMany({});
  });
  afterAll(killAll);

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
    await annsPage.people('lobby', 'ann', 'bob');

    bobsPage.send({ command: 'typing', room: 'lobby' });
    expect(await annsPage.next('typing')).toEqual({ event: 'typing', room: 'lobby', user: bobHimself });
    bobsPage.write('lobby', 'Hello over there');
    const onFirst = await annsPage.next('message');
    expect(onFirst).toMatchObject({ room: 'lobby', from: bobHimself, text: 'Hello over there' });
    expect(await bobsPage.next('message')).toEqual(onFirst);
    annsPage.write('lobby', '$literal, { $set: { a: 1 } }');
    expect(await bobsPage.next('message')).toMatchObject({ from: annHerself, text: '$literal, { $set: { a: 1 } }' });

    bobsPage.socket.terminate();
    await annsPage.people('lobby', 'ann');
  });

  it('lets two pages of a member share their rooms, wherever each of them is', async () => {
    const watcher = await joined(await bobOn(second), 'music');
    const ann = await annOn(first);
    const here = await ann.open();
    const there = await elsewhere(ann, second).open();
    here.send({ command: 'join', room: 'music' });
    await here.next('joined');
    expect(await there.next('moved')).toEqual({ event: 'moved', room: 'music', isIn: true });
    there.send({ command: 'join', room: 'music', follows: true });
    await there.next('joined');
    await watcher.people('music', 'ann', 'bob');
    there.write('music', 'Both of me');
    await there.next('message');
    await here.next('message');

    there.send({ command: 'leave', room: 'music' });
    await there.next('left');
    expect(await here.next('moved')).toEqual({ event: 'moved', room: 'music', isIn: false });
    here.send({ command: 'leave', room: 'music', follows: true });
    await here.next('left');
    await watcher.people('music', 'bob');
    await there.rest();
    // both changed one session: neither is lost
    here.send({ command: 'join', room: 'lobby' });
    await here.next('joined');
    await here.rest();
    expect((await ann.open()).welcome.joined.map(({ room }) => room)).toEqual(['lobby']);
  });

  it('shows the newest 50 messages to whoever comes in, on whatever process', async () => {
    const texts = Array.from({ length: 51 }, (_, index) => `Message ${index + 1}`);
    await db
      .collection('messages')
      .insertMany(
        texts.map((text, index) => ({ id: text, room: 'lobby', number: index + 1, from: annHerself, text, at: new Date().toISOString() })),
      );
    const page = await joined(await bobOn(second), 'lobby');
    page.send({ command: 'history', room: 'lobby' });
    expect((await page.next('history')).messages.map(({ text }) => text)).toEqual(texts.slice(1));
    page.send({ command: 'history', room: 'lobby', before: 2 });
    expect((await page.next('history')).messages.map(({ number }) => number)).toEqual([1]);
    page.send({ command: 'history', room: 'lobby', after: 49 });
    expect((await page.next('history')).messages.map(({ number }) => number)).toEqual([50, 51]);
  });

  it('gives the messages of all processes one order without a hole, and keeps one that comes twice once', async () => {
    const pages = [await joined(await annOn(first), 'lobby'), await joined(await bobOn(second), 'lobby')] as const;
    for (let number = 1; number <= 10; number += 1)
      for (const [index, page] of pages.entries()) page.write('lobby', `From ${index}: ${number}`);
    const twice = { command: 'send', room: 'lobby', id: 'one-and-only', text: 'Once' };
    const answers = [await pages[0].request(twice), await pages[0].request(twice)] as { result?: { number: number } }[];
    expect(answers[0]?.result?.number).toBe(answers[1]?.result?.number);
    await expect.poll(() => db.collection('messages').countDocuments()).toBe(21);
    const logs = await Promise.all(
      pages.map(async (page) => {
        page.send({ command: 'history', room: 'lobby' });
        return (await page.next('history')).messages;
      }),
    );
    expect(logs[0]).toEqual(logs[1]);
    expect(logs[0]?.map(({ number }) => number)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  });

  it('loses no log-in, no message and no list of rooms when a process is killed', async () => {
    const ann = await annOn(first);
    const page = await joined(ann, 'lobby');
    page.send({ command: 'join', room: 'kitchen' });
    await page.next('joined');
    const watcher = await joined(await bobOn(second), 'lobby');
    page.write('lobby', 'Remember me');
    const message = await page.next('message');
    expect((await watcher.next('message')).id).toBe(message.id);
    await first.kill();
    await page.closed;
    watcher.write('lobby', 'Are you still there?');
    await watcher.next('message');

    first = await startChat(url);
    const restarted = elsewhere(ann, first);
    expect((await restarted.get('/me')).status).toBe(200);
    const again = await restarted.open();
    expect(again.welcome.joined.map(({ room }) => room)).toEqual(['lobby', 'kitchen']);
    again.send({ command: 'history', room: 'lobby' });
    const { messages } = await again.next('history');
    expect(messages.map(({ text }) => text)).toEqual(['Remember me', 'Are you still there?']);
    expect(messages[0]?.id).toBe(message.id);
    again.write('lobby', 'I am');
    expect(await watcher.next('message')).toMatchObject({ from: annHerself, text: 'I am' });
  });

  /** Logs in and out, and ends other log-ins from the list of devices: pages on both processes are closed for this reason. */
  async function checkLogOuts(here: ChatProcess, there: ChatProcess, reason: string): Promise<void> {
    const ann = await annOn(here);
    const annThere = elsewhere(ann, there);
    const pages = [await ann.open(), await annThere.open()];
    const phone = await (await annOn(there)).open();
    await ann.post('/logout');
    const why = { code: 3000, reason };
    for (const page of pages) expect(await page.closed).toEqual(why);
    expect((await annThere.get('/me')).status).toBe(401);
    expect(await annThere.refusal()).toBe(3000);
    expect(await phone.rest()).toEqual([]);

    // another device, connected to the other process: ended from a list, and with all others
    const desk = await annOn(here);
    const [atDesk, devices] = [await desk.open(), (await (await desk.get('/devices')).json()) as { id: string; isThis: boolean }[]];
    const other = devices.find(({ isThis }) => !isThis);
    expect((await desk.post('/devices/end', { id: other?.id ?? '' })).status).toBe(204);
    expect(await phone.closed).toEqual(why);
    const tablet = await (await annOn(there)).open();
    await desk.post('/logout-everywhere');
    for (const page of [atDesk, tablet]) expect(await page.closed).toEqual(why);
  }

  it('ends a log-in on both: its pages are closed, and it is refused', () => checkLogOuts(first, second, 'token revoked'));

  describe('with --auth=session', () => {
    let here: ChatProcess;
    let there: ChatProcess;
    beforeAll(async () => {
      [here, there] = await Promise.all([startChat(url, '--auth=session'), startChat(url, '--auth=session')]);
    });

    it('ends a log-in on both: its pages are closed, and it is refused', () => checkLogOuts(here, there, 'session ended'));

    it('keeps a log-in longer than the process lives that began it', async () => {
      const mortal = await startChat(url, '--auth=session');
      const ann = await annOn(mortal);
      await joined(ann, 'kitchen');
      await mortal.kill();
      expect((await elsewhere(ann, there).open()).welcome).toMatchObject({ you: annHerself, joined: [{ room: 'kitchen' }] });
    });
  });

  it('ends when it is asked to, and says goodbye', async () => {
    const problems = () => [...first.problems, ...second.problems];
    const before = problems();
    // nobody was in this room on a process that a test has killed, which is found out after 20 seconds only
    const page = await joined(await annOn(first), 'workshop');
    const watcher = await joined(await bobOn(second), 'workshop');
    await watcher.people('workshop', 'ann', 'bob');
    const ended = first.kill('SIGTERM');
    expect(await page.closed).toMatchObject({ code: 1012 });
    expect(await ended).toBe(0);
    await watcher.people('workshop', 'bob');
    expect(problems()).toEqual(before);
  });

  it('tells who starts it what it takes, and what is wrong with a port', async () => {
    const taken = new URL(first.url).port;
    expect(await Promise.all([endOf(['--help']), endOf([], { PORT: 'eighty' }), endOf([], { PORT: taken })])).toMatchObject([
      { code: 0, said: expect.stringContaining('PORT') as string },
      { code: 2, said: expect.stringContaining('PORT must be a whole number') as string },
      { code: 1, said: expect.stringContaining('is taken') as string },
    ]);
  });

  it('leaves members as somebody has changed them', async () => {
    const users = db.collection<{ _id: string }>('users');
    await users.updateOne({ _id: '4' }, { $set: { staff: true } });
    // whoever starts adds those who are missing
    const third = await startChat(url);
    const dev = await new Visitor(third.url).logIn('dev', 'dandelion');
    expect(await (await dev.get('/me')).json()).toEqual({ id: '4', name: 'dev', staff: true });
    expect(await users.countDocuments()).toBe(4);
    await third.kill();
  });
});

function databaseUrl(server: string, name: string): string {
  const url = new URL(server || 'mongodb://127.0.0.1');
  url.pathname = `/${name}`;
  return url.href;
}
