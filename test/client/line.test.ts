import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeNodeSocket, makeClient } from './fake-socket.js';

describe('a silent line', () => {
  it('is asked after pingMs in which nothing arrived', async () => {
    const { opened, clock } = makeClient({ pingMs: 20_000 });
    const socket = await opened();
    await clock.advance(15_000);
    socket.receive('hello');
    await clock.advance(19_999);
    expect(socket.pings).toEqual([]);
    await clock.advance(1);
    expect(socket.pings).toEqual([{ ping: true, requestId: expect.any(String) as string }]);
  });

  it.each(['its answer', 'anything else'])('is kept where %s comes in time', async (what) => {
    const heard: unknown[] = [];
    const { client, opened, clock } = makeClient({ pingMs: 20_000, pongMs: 5_000, onMessage: (data) => heard.push(data) });
    const socket = await opened();
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(20_000 + 4_999);
      socket.receive(what === 'its answer' ? { requestId: socket.pings.at(-1)?.['requestId'], result: 'pong' } : 'news');
    }
    expect([client.state.name, socket.pings.length]).toEqual(['open', 3]);
    expect(heard).toHaveLength(what === 'its answer' ? 0 : 3);
  });

  it('counts as broken where nothing comes, and the client returns at once', async () => {
    const { client, opened, clock, sockets, states } = makeClient({ pingMs: 20_000, pongMs: 5_000 });
    const socket = await opened();
    await clock.advance(24_999);
    expect(client.state.name).toBe('open');
    await clock.advance(1);
    expect(states.at(-2)).toEqual({ name: 'waiting', inMs: 0, closing: { code: 1006, reason: '' } });
    expect([socket.closedWith !== undefined, sockets.length]).toEqual([true, 2]);
  });

  it('is dropped where the platform can', async () => {
    const { opened, clock } = makeClient({ pingMs: 1_000 }, FakeNodeSocket);
    const socket = await opened();
    await clock.advance(6_000);
    expect(socket.isTerminated).toBe(true);
  });

  it('is never asked where pingMs is 0', async () => {
    const { client, opened, clock } = makeClient({ pingMs: 0 });
    const socket = await opened();
    await clock.advance(10_000_000);
    expect([client.state.name, socket.sent]).toEqual(['open', []]);
  });
});

describe('in a page', () => {
  const page = { onLine: true, hidden: false };
  const events = new EventTarget();
  const pageEvents = new EventTarget();

  beforeEach(() => {
    Object.assign(page, { onLine: true, hidden: false });
    vi.stubGlobal('navigator', {
      get onLine() {
        return page.onLine;
      },
    });
    vi.stubGlobal('addEventListener', events.addEventListener.bind(events));
    vi.stubGlobal('location', { href: 'https://chat.example/rooms/7#top' });
    const document = {
      addEventListener: pageEvents.addEventListener.bind(pageEvents),
      get hidden() {
        return page.hidden;
      },
    };
    vi.stubGlobal('document', document);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const setOnline = (onLine: boolean): void => {
    page.onLine = onLine;
    events.dispatchEvent(new Event(onLine ? 'online' : 'offline'));
  };
  const setVisible = (isVisible: boolean): void => {
    page.hidden = !isVisible;
    pageEvents.dispatchEvent(new Event('visibilitychange'));
  };

  it('there is one attempt at once when the network comes back, and none while it is away', async () => {
    const { client, opened, clock, sockets } = makeClient();
    const socket = await opened();
    page.onLine = false;
    socket.end();
    expect(client.state).toEqual({ name: 'offline', closing: { code: 1006, reason: '' } });
    await clock.advance(10_000_000);
    setVisible(true);
    expect([client.state.name, sockets.length, clock.pendingTimers]).toEqual(['offline', 1, 0]);
    setOnline(true);
    await clock.advance(0);
    expect([client.state.name, sockets.length]).toEqual(['connecting', 2]);
  });

  it('a pause ends where the network goes away', async () => {
    const { client, newest, clock, sockets } = makeClient();
    (await newest()).end();
    expect(client.state.name).toBe('waiting');
    setOnline(false);
    await clock.advance(100_000);
    expect([client.state.name, sockets.length]).toEqual(['offline', 1]);
  });

  it('nothing is attempted where there is no network to begin with', async () => {
    page.onLine = false;
    const { client, clock, sockets } = makeClient();
    await clock.advance(0);
    expect([client.state.name, sockets.length]).toEqual(['offline', 0]);
    setOnline(true);
    await clock.advance(0);
    expect(sockets).toHaveLength(1);
  });

  it('there is one attempt at once when the page becomes visible, and none when it is hidden', async () => {
    const { newest, clock, sockets } = makeClient({ minDelayMs: 60_000 });
    (await newest()).end();
    setVisible(false);
    await clock.advance(0);
    expect(sockets).toHaveLength(1);
    setVisible(true);
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
  });

  it('an attempt that is under way is left alone', async () => {
    const { client, newest, clock, sockets } = makeClient();
    await newest();
    setOnline(true);
    setVisible(true);
    await clock.advance(0);
    expect([client.state.name, sockets.length]).toEqual(['connecting', 1]);
  });

  it.each([
    ['online', setOnline],
    ['visible', setVisible],
  ])('an open line is asked at once when the page becomes %s', async (_, set) => {
    const { opened } = makeClient();
    const socket = await opened();
    set(true);
    expect(socket.pings).toHaveLength(1);
  });

  it('a dead line counts as broken however often the network comes and goes', async () => {
    const { client, opened, clock, sockets } = makeClient({ pongMs: 5_000 });
    const socket = await opened();
    for (let second = 0; second < 5; second += 1) {
      setOnline(second % 2 === 1);
      setVisible(true);
      await clock.advance(1_000);
    }
    expect([socket.pings.length, client.state.name]).toEqual([1, 'offline']);
    setOnline(true);
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
  });

  it('a line that has answered is asked again when the network comes back once more', async () => {
    const { opened } = makeClient();
    const socket = await opened();
    setOnline(true);
    socket.receive({ requestId: socket.pings[0]?.['requestId'], result: 'pong' });
    setOnline(true);
    expect(socket.pings).toHaveLength(2);
  });

  it('nobody returns before a server that asked for a pause', async () => {
    const { client, opened, clock, sockets } = makeClient({ maxDelayMs: 60_000 });
    (await opened()).end(1008, 'rate limited');
    setOnline(false);
    await clock.advance(10_000);
    setOnline(true);
    expect(client.state).toMatchObject({ name: 'waiting', inMs: 50_000 });
    setVisible(true);
    await clock.advance(49_999);
    expect(sockets).toHaveLength(1);
    await clock.advance(1);
    expect(sockets).toHaveLength(2);
  });

  it('a client that has stopped hears nothing more', async () => {
    const { client, opened, clock, sockets } = makeClient();
    (await opened()).end(3003, 'denied');
    setOnline(false);
    setOnline(true);
    setVisible(true);
    await clock.advance(100_000);
    expect([client.state.name, sockets.length]).toEqual(['stopped', 1]);
  });
});
