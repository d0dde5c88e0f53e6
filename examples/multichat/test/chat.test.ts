import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Backend, memoryBackend } from '../src/backend.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { joined, Visitor } from './support/visitor.js';

describe.each(['token', 'session'] as const)('the chat with --auth=%s', (auth) => {
  let chat: MultiChat;
  let backend: Backend;
  let ann: Visitor;
  let bob: Visitor;
  const annHerself = { id: '1', name: 'ann', staff: false };
  const bobHimself = { id: '2', name: 'bob', staff: true };

  beforeEach(async () => {
    chat = await startMultiChat({
      auth,
      backend: async (container) => {
        backend = await memoryBackend(container);
        return backend;
      },
    });
    ann = await new Visitor(chat.url).logIn('ann', 'lemonade');
    bob = await new Visitor(chat.url).logIn('bob', 'bicycle');
  });
  afterEach(() => chat.close());

  it('welcomes with who you are and which rooms there are', async () => {
    const page = await bob.open();
    expect(page.welcome).toMatchObject({ event: 'welcome', you: bobHimself, joined: [] });
    expect(page.welcome.rooms.map(({ id, staffOnly }) => [id, staffOnly])).toContainEqual(['staff', true]);
    expect(await page.rest()).toEqual([]);
  });

  it('lets members see each other enter, write and leave', async () => {
    const annsPage = await joined(ann, 'lobby');
    const bobsPage = await bob.open();
    bobsPage.send({ command: 'join', room: 'lobby' });
    expect(await bobsPage.next('joined')).toEqual({ event: 'joined', room: 'lobby', people: [annHerself, bobHimself], last: 0 });
    await annsPage.people('lobby', 'ann', 'bob');

    bobsPage.write('lobby', '  Hello, <b>ann</b>! ');
    const message = { room: 'lobby', from: bobHimself, text: 'Hello, <b>ann</b>!' };
    expect(await annsPage.next('message')).toMatchObject(message);
    expect(await bobsPage.next('message')).toMatchObject(message);

    bobsPage.send({ command: 'typing', room: 'lobby' });
    expect(await annsPage.next('typing')).toEqual({ event: 'typing', room: 'lobby', user: bobHimself });

    bobsPage.send({ command: 'leave', room: 'lobby' });
    expect(await bobsPage.next('left')).toEqual({ event: 'left', room: 'lobby' });
    await annsPage.people('lobby', 'ann');
    expect(await annsPage.rest()).toEqual([]);
    expect(await bobsPage.rest()).toEqual([]);
  });

  it('keeps rooms apart', async () => {
    const annsPage = await joined(ann, 'lobby');
    const bobsPage = await joined(bob, 'kitchen');
    bobsPage.write('kitchen', 'Anyone hungry?');
    await bobsPage.next('message');
    expect(await annsPage.rest()).toEqual([]);
  });

  it('tells the room when somebody is gone without a word', async () => {
    const annsPage = await joined(ann, 'lobby');
    const bobsPage = await joined(bob, 'lobby');
    await annsPage.people('lobby', 'ann', 'bob');
    bobsPage.socket.terminate();
    await annsPage.people('lobby', 'ann');
  });

  it('shows the newest 50 messages of a room, those before and those after, to its members alone', async () => {
    const page = await joined(ann, 'lobby');
    for (let number = 1; number <= 51; number += 1)
      await backend.log.append({ id: `message-${number}`, room: 'lobby', from: bobHimself, text: `Message ${number}` });
    page.send({ command: 'history', room: 'lobby' });
    const { messages } = await page.next('history');
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, index) => `Message ${index + 2}`));
    expect(messages.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => index + 2));
    page.send({ command: 'history', room: 'lobby', before: 2 });
    expect((await page.next('history')).messages.map(({ text }) => text)).toEqual(['Message 1']);
    page.send({ command: 'history', room: 'lobby', after: 50 });
    expect((await page.next('history')).messages.map(({ text }) => text)).toEqual(['Message 51']);

    const outside = await bob.open();
    outside.send({ command: 'history', room: 'lobby' });
    expect(await outside.problem()).toEqual({ error: 'not_in_room', room: 'lobby' });
  });

  it('keeps others out of the staff room, and their socket open', async () => {
    const page = await ann.open();
    page.send({ command: 'join', room: 'staff' });
    expect(await page.problem()).toEqual({ error: 'staff_only', room: 'staff' });
    page.send({ command: 'join', room: 'lobby' });
    expect(await page.next('joined')).toMatchObject({ room: 'lobby' });
    const staff = await joined(bob, 'staff');
    page.write('staff', 'Let me in');
    expect(await page.problem()).toEqual({ error: 'not_in_room', room: 'staff' });
    expect(await staff.rest()).toEqual([]);
  });

  it('says what is wrong with a message, and goes on', async () => {
    const page = await joined(ann, 'lobby');
    page.send('no JSON');
    expect(await page.problem()).toEqual({ error: 'invalid_json' });
    page.send({ command: 'dance' });
    expect(await page.problem()).toMatchObject({ error: 'unknown_command' });
    page.send({ command: 'join', room: 7 });
    expect(await page.problem()).toMatchObject({ error: 'invalid_message', issues: [{ path: ['room'] }] });
    page.write('lobby', 'x'.repeat(2001));
    expect(await page.problem()).toMatchObject({ error: 'invalid_message', issues: [{ path: ['text'] }] });
    page.send({ command: 'join', room: '__proto__' });
    expect(await page.problem()).toMatchObject({ error: 'invalid_message', issues: [{ path: ['room'] }] });
    page.write('lobby', 'Still here.');
    expect(await page.next('message')).toMatchObject({ text: 'Still here.' });
  });

  it('brings a member back into the rooms that the session remembers', async () => {
    const first = await joined(ann, 'lobby');
    first.send({ command: 'join', room: 'music' });
    await first.next('joined');
    await first.close();
    const again = await new Visitor(chat.url).logIn('ann', 'lemonade');
    const page = await again.open();
    expect(page.welcome.joined).toEqual([
      { room: 'lobby', people: [annHerself], last: 0 },
      { room: 'music', people: [annHerself], last: 0 },
    ]);
    page.write('music', 'Where were we?');
    expect(await page.next('message')).toMatchObject({ room: 'music' });
  });

  it('lets two pages of a member share their rooms, and others see one person', async () => {
    const watcher = await joined(bob, 'lobby');
    const first = await joined(ann, 'lobby');
    await watcher.people('lobby', 'ann', 'bob');
    const second = await ann.open();
    expect(second.welcome.joined.map(({ room }) => room)).toEqual(['lobby']);

    second.send({ command: 'join', room: 'music' });
    expect(await first.next('moved')).toEqual({ event: 'moved', room: 'music', isIn: true });
    first.send({ command: 'join', room: 'music', follows: true });
    expect(await first.next('joined')).toMatchObject({ room: 'music', people: [annHerself] });
    await second.next('joined');
    first.write('music', 'Both of me');
    await first.next('message');
    await second.next('message');
    first.send({ command: 'leave', room: 'music' });
    await first.next('left');
    expect(await second.next('moved')).toEqual({ event: 'moved', room: 'music', isIn: false });

    await first.close();
    expect(await watcher.rest()).toEqual([]);
    await second.close();
    await watcher.people('lobby', 'bob');
    expect((await ann.open()).welcome.joined.map(({ room }) => room)).toEqual(['lobby']);
  });

  it('keeps a message once that is sent twice, whatever number the second time has', async () => {
    const page = await joined(ann, 'lobby');
    const message = { command: 'send', room: 'lobby', id: 'one-and-only', text: 'Once' };
    const answer = await page.request(message, 'r-1');
    expect(answer).toMatchObject({ result: { number: 1 } });
    expect(await page.request(message, 'r-1')).toEqual(answer);
    expect(await page.request(message, 'r-2')).toMatchObject({ result: { number: 1 } });
    page.send({ command: 'history', room: 'lobby' });
    expect((await page.next('history')).messages).toHaveLength(1);
  });

  it('slows a member down who writes too much, and says for how long', async () => {
    const page = await joined(ann, 'lobby');
    for (let number = 1; number <= 31; number += 1) page.write('lobby', `Message ${number}`);
    expect(await page.problem()).toEqual({ error: 'rate_limited', retryAfterMs: expect.any(Number) as number });
  });

  it('leaves a page out of a room that it could not be let into, until it is', async () => {
    const [page, watcher] = [await ann.open(), await joined(bob, 'lobby')];
    vi.spyOn(backend.log, 'last').mockRejectedValueOnce(new Error('The database is away.'));
    page.send({ command: 'join', room: 'lobby' });
    expect(await page.problem()).toEqual({ error: 'try_again', retryAfterMs: 1_000 });
    watcher.write('lobby', 'Is anybody there?');
    await watcher.next('message');
    expect(await page.rest()).toEqual([]);
    page.send({ command: 'join', room: 'lobby' });
    expect(await page.next('joined')).toMatchObject({ room: 'lobby', last: 1 });
  });

  it('has pages ask how things are where it cannot be told who has come', async () => {
    const watcher = await ann.open();
    watcher.send({ command: 'join', room: 'lobby' });
    await watcher.next('people'); // who has come within a moment is told of together
    const findByIds = backend.users.findByIds.bind(backend.users);
    vi.spyOn(backend.users, 'findByIds').mockImplementation(async (ids) => {
      if (ids.join() === bobHimself.id) throw new Error('The database is away.');
      return findByIds(ids);
    });
    await joined(bob, 'lobby');
    await watcher.next('gap');
    watcher.send({ command: 'sync' });
    expect((await watcher.next('welcome')).joined).toMatchObject([{ people: [annHerself, bobHimself] }]);
  });

  it('says again how things are when it is asked', async () => {
    const page = await joined(ann, 'lobby');
    page.write('lobby', 'Hello');
    await page.next('message');
    page.send({ command: 'sync' });
    expect((await page.next('welcome')).joined).toEqual([{ room: 'lobby', people: [annHerself], last: 1 }]);
  });

  it('forgets no room when two pages join at once', async () => {
    const pages = [await ann.open(), await ann.open()] as const;
    pages[0].send({ command: 'join', room: 'lobby' });
    pages[1].send({ command: 'join', room: 'kitchen' });
    for (const page of pages) await page.next('joined');
    for (const page of pages) await page.rest();
    for (const page of pages) await page.close();
    const rooms = (await ann.open()).welcome.joined.map(({ room }) => room);
    expect(rooms.toSorted()).toEqual(['kitchen', 'lobby']);
  });

  it('closes the pages of a log-in that ends, and no others', async () => {
    const page = await ann.open();
    const otherTab = await ann.open();
    const phone = await (await new Visitor(chat.url).logIn('ann', 'lemonade')).open();
    const bobsPage = await bob.open();
    await ann.post('/logout');
    const why = { code: 3000, reason: auth === 'token' ? 'token revoked' : 'session ended' };
    expect(await page.closed).toEqual(why);
    expect(await otherTab.closed).toEqual(why);
    expect(await phone.rest()).toEqual([]);
    expect(await bobsPage.rest()).toEqual([]);
  });

  it('says goodbye when it ends', async () => {
    const page = await ann.open();
    await chat.close();
    expect(await page.closed).toMatchObject({ code: 1012 });
  });
});
