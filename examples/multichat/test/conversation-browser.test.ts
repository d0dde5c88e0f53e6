import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { because, missing } from '../../../test/support/chromium.js';
import { startTcpProxy } from '../../../test/support/tcp-proxy.js';
import { demoUsers } from '../src/accounts.js';
import { memoryBackend } from '../src/backend.js';
import type { MessageLog } from '../src/message-log.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { accessibilityProblems } from './support/accessibility-problems.js';
import { BrowserPages, type PageOptions } from './support/browser-pages.js';
import { drawn, join, logOf, messageBox, textsOn, write } from './support/chat-page.js';

const patienceMs = 60_000;
const longName = 'ann-whose-name-is-as-long-as-a-name-may-be-and-then-somewhat-longer';

describe.skipIf(missing)(`A conversation in MultiChat${because}`, { timeout: patienceMs }, () => {
  let pages: BrowserPages;
  let chat: MultiChat;
  let log: MessageLog;
  let rename: (name: string) => void;
  /** What becomes of a message that is being kept. */
  let whenKept: 'answered' | 'cut' | 'refused';
  /** How often the log cannot be read from now on. */
  let readsToFail: number;
  let countsToFail: number;
  let notices: { upTo: number; graceMs: number };
  beforeAll(async () => {
    pages = await BrowserPages.start(patienceMs / 2);
  }, patienceMs);
  afterAll(() => pages?.[Symbol.asyncDispose](), patienceMs);
  beforeEach(async () => {
    whenKept = 'answered';
    readsToFail = countsToFail = 0;
    notices = { upTo: 20, graceMs: 10_000 };
    chat = await startMultiChat({
      auth: 'token',
      notices,
      backend: async (container) => {
        const backend = await memoryBackend(container);
        log = backend.log;
        const users = backend.users as typeof backend.users & { set(user: (typeof demoUsers)[number]['member']): void };
        rename = (name) => users.set({ ...demoUsers[0]!.member, name });
        return { ...backend, log: withFaults(backend.log) };
      },
    });
  }, patienceMs);
  afterEach(async () => {
    const complaints = await pages.reset();
    await chat.close();
    expect(complaints).toEqual([]);
  }, patienceMs);

  function withFaults(inner: MessageLog): MessageLog {
    return {
      async last(room) {
        if (countsToFail > 0) throw new Error(`The database is away, ${countsToFail--} times.`);
        return inner.last(room);
      },
      async read(room, range) {
        if (readsToFail > 0) throw new Error(`The database is away, ${readsToFail--} times.`);
        return inner.read(room, range);
      },
      async append(message) {
        if (whenKept === 'refused') throw new Error('The database is away.');
        const kept = await inner.append(message);
        // the line breaks between the keeping and the answer
        if (whenKept === 'cut') for (const channel of chat.channels.channels) channel.terminate();
        whenKept = 'answered';
        return kept;
      },
    };
  }

  interface Opening extends PageOptions {
    readonly url?: string;
    readonly room?: string;
    /** Its timers can be moved forward. */
    readonly hasClock?: boolean;
    /** What its clock shows at first. */
    readonly now?: Date;
  }

  async function openAs(
    name: string,
    { url = chat.url, room = 'Lobby', now, hasClock = now !== undefined, ...options }: Opening = {},
  ): Promise<Page> {
    const { password } = demoUsers.find(({ member }) => member.name === name)!;
    const page = await pages.openAs(url, name, password, options);
    if (hasClock) {
      await page.clock.install(now === undefined ? {} : { time: now });
      await page.reload();
    }
    await state(page, 'Connected');
    await join(page, room);
    return page;
  }

  const state = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor();
  const scrollTop = (page: Page) => logOf(page).evaluate((element) => element.scrollTop);
  const hasFocus = (page: Page) => page.evaluate(() => document.activeElement !== document.body);

  /** Puts messages of bob's into the lobby. */
  async function fill(count: number): Promise<void> {
    const from = { id: '2', name: 'bob', staff: true };
    for (let number = 1; number <= count; number += 1)
      await log.append({ id: `filled-${number}`, room: 'lobby', from, text: `Message ${number}` });
  }

  it('keeps what is written over a cut between delivery and answer, once', async () => {
    const ann = await openAs('ann');
    whenKept = 'cut';
    await write(ann, 'One');
    await write(ann, 'Two');
    await logOf(ann).getByText('Sending…').first().waitFor({ state: 'detached' });
    await state(ann, 'Connected');
    await expect.poll(() => log.last('lobby')).toBe(2);
    expect(await textsOn(ann)).toEqual(['One', 'Two']);
  });

  it('notices a line that is half open, and sends again what went into it', async () => {
    await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
    const ann = await openAs('ann', { url: `http://127.0.0.1:${proxy.port}`, hasClock: true });
    proxy.setMode('swallow');
    await write(ann, 'Anybody there?');
    await logOf(ann).getByText('Sending…').waitFor();
    proxy.setMode('forward');
    for (const ms of [11_000, 3_000, 3_000]) await ann.clock.fastForward(ms);
    await logOf(ann).getByText('Sending…').waitFor({ state: 'detached' });
    expect(await textsOn(ann)).toEqual(['Anybody there?']);
    expect(await log.last('lobby')).toBe(1);
  });

  it('says what could not be sent, and sends it again when it is asked to, over a reload too', async () => {
    const ann = await openAs('ann', { hasClock: true });
    whenKept = 'refused';
    await write(ann, 'In vain');
    await logOf(ann).getByText('Sending…').waitFor();
    await expect
      .poll(async () => {
        await ann.clock.fastForward(31_000);
        return logOf(ann).getByText('Not sent.').count();
      })
      .toBe(1);
    expect(await accessibilityProblems(ann)).toEqual([]);
    await ann.reload();
    await logOf(ann).getByText('Not sent.').waitFor();
    whenKept = 'answered';
    await logOf(ann).getByRole('button', { name: 'Send again' }).click();
    expect(await hasFocus(ann)).toBe(true);
    await logOf(ann).getByText('Not sent.').waitFor({ state: 'detached' });
    await expect.poll(() => log.last('lobby')).toBe(1);
    expect(await textsOn(ann)).toEqual(['In vain']);
  });

  it('says what came while it was away, and loads it', async () => {
    await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
    const [ann, bob] = [await openAs('ann', { url: `http://127.0.0.1:${proxy.port}` }), await openAs('bob')];
    await write(bob, 'One');
    await logOf(ann).getByText('One').waitFor();
    proxy.setMode('refuse');
    await state(ann, 'Connection lost. Reconnecting…');
    await write(bob, 'Two');
    await write(bob, 'Three');
    await write(ann, 'Four');
    proxy.setMode('forward');
    await logOf(ann).getByText('You were away for a moment.').waitFor();
    await logOf(bob).getByText('Four').waitFor();
    await logOf(ann).getByText('Sending…').waitFor({ state: 'detached' });
    expect(await textsOn(ann)).toEqual(['One', 'Two', 'Three', 'Four']);
    expect(await textsOn(bob)).toEqual(['One', 'Two', 'Three', 'Four']);
  });

  it('loads what is older as the reader scrolls up, shows 300 messages at most, and leads back to the newest', async () => {
    await fill(420);
    const ann = await openAs('ann');
    await logOf(ann).getByText('Message 420').waitFor();
    expect(await logOf(ann).locator('.message').count()).toBe(50);
    await expect
      .poll(async () => {
        await logOf(ann).evaluate((element) => element.scrollTo(0, 0));
        return (await textsOn(ann))[0];
      })
      .toBe('Message 1');
    expect(await logOf(ann).locator('.message').count()).toBeLessThanOrEqual(300);
    const shown = await textsOn(ann);
    expect(shown).toEqual(Array.from(shown, (_, index) => `Message ${index + 1}`));
    await ann.getByRole('button', { name: 'New messages' }).click();
    await logOf(ann).getByText('Message 420').waitFor();
    expect(await hasFocus(ann)).toBe(true);
  });

  it("keeps the reader's place over other rooms, new messages and reconnections", async () => {
    await fill(50);
    await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
    const [ann, bob] = [await openAs('ann', { url: `http://127.0.0.1:${proxy.port}` }), await openAs('bob')];
    await logOf(ann).getByText('Message 50').waitFor();
    await logOf(ann).evaluate((element) => element.scrollTo(0, 300));
    await drawn(ann);
    expect(await scrollTop(ann)).toBe(300);
    await write(bob, 'News');
    await ann.getByRole('button', { name: 'New messages' }).waitFor();
    expect(await scrollTop(ann)).toBe(300);
    for (const name of ['Music', 'Lobby']) {
      await ann.getByRole('navigation').getByRole('button', { name }).click();
      await ann.getByRole('heading', { name }).waitFor();
    }
    expect(Math.abs((await scrollTop(ann)) - 300)).toBeLessThan(5);
    proxy.setMode('refuse');
    await state(ann, 'Connection lost. Reconnecting…');
    await write(bob, 'Meanwhile');
    proxy.setMode('forward');
    await logOf(ann).getByText('Meanwhile', { exact: true }).waitFor();
    expect(Math.abs((await scrollTop(ann)) - 300)).toBeLessThan(5);
  });

  it('does not note who reloads or blinks off, but who is gone for ten seconds', async () => {
    const [ann, bob] = [await openAs('ann', { hasClock: true }), await openAs('bob')];
    const people = (text: string) => ann.getByRole('complementary').getByText(text).waitFor();
    await people('2 people here');
    await ann.clock.fastForward(10_000);
    await logOf(ann).getByText('bob came in').waitFor();
    await bob.reload();
    await state(bob, 'Connected');
    await write(bob, 'Only a blink');
    await logOf(ann).getByText('Only a blink').waitFor();
    await people('2 people here');
    await ann.clock.fastForward(10_000);
    expect(await logOf(ann).getByText('bob left').count()).toBe(0);
    await bob.close();
    await people('1 person here');
    await ann.clock.fastForward(10_000);
    await logOf(ann).getByText('bob left').waitFor();
  });

  it('notes nobody in a room of many, but shows them in its list', async () => {
    notices.upTo = 1;
    const [ann, bob] = [await openAs('ann', { hasClock: true }), await openAs('bob')];
    await ann.getByRole('complementary').getByText('2 people here').waitFor();
    await ann.clock.fastForward(10_000);
    await write(bob, 'Anybody?');
    await logOf(ann).getByText('Anybody?').waitFor();
    expect(await logOf(ann).locator('.notice').count()).toBe(0);
  });

  it("tells days and times as the reader's language and clock do", async () => {
    await fill(1);
    const written = new Date((await log.read('lobby', {}))[0]!.at);
    const reader = { locale: 'de-DE', timezoneId: 'Asia/Tokyo' };
    const ann = await openAs('ann', reader);
    await logOf(ann).getByText('heute').waitFor();
    const later = await openAs('cleo', { ...reader, timezoneId: 'Pacific/Kiritimati', now: new Date(written.getTime() + 86_400_000) });
    await logOf(later).getByText('gestern').waitFor();
    const time = new Intl.DateTimeFormat('de-DE', { hour: 'numeric', minute: '2-digit', timeZone: 'Asia/Tokyo' }).format(written);
    await logOf(ann).getByText(time).waitFor();
  });

  it('opens rooms by their address, makes links of addresses, and counts near the limit', async () => {
    const ann = await openAs('ann');
    await ann.evaluate(() => {
      location.hash = '#music';
    });
    await ann.getByRole('alert').getByText('You are not in the Music.').waitFor();
    await ann.getByRole('button', { name: 'Join', exact: true }).click();
    await ann.getByRole('heading', { name: 'Music' }).waitFor();
    await write(ann, 'See https://example.com/a?b=c, and javascript:alert(1)');
    const link = logOf(ann).getByRole('link');
    expect(await link.evaluateAll((links) => links.map((each) => [each.getAttribute('href'), each.getAttribute('rel')]))).toEqual([
      ['https://example.com/a?b=c', 'noopener noreferrer'],
    ]);
    await messageBox(ann).fill('x'.repeat(1_990));
    await ann.getByText('10 left').waitFor();
  });

  it('asks again for messages that could not be read, and does not say meanwhile that there are none', async () => {
    await fill(3);
    readsToFail = 1;
    const ann = await openAs('ann', { hasClock: true });
    await expect.poll(() => readsToFail).toBe(0);
    expect(await logOf(ann).getByText('Nobody has said anything').count()).toBe(0);
    await ann.clock.fastForward(2_000);
    await logOf(ann).getByText('Message 3').waitFor();
  });

  it('comes into a room, and hears after a gap how things are, although that could not be looked up at first', async () => {
    const ann = await openAs('ann', { hasClock: true });
    countsToFail = 1;
    await ann.getByRole('navigation').getByRole('button', { name: 'Kitchen' }).click();
    await expect.poll(() => countsToFail).toBe(0);
    await ann.clock.fastForward(2_000);
    await ann.getByRole('heading', { name: 'Kitchen' }).waitFor();
    expect(await ann.getByRole('alert').textContent()).toBe('');

    await fill(2);
    countsToFail = 1;
    for (const channel of chat.channels.channels) channel.sendJson({ event: 'gap' });
    await expect.poll(() => countsToFail).toBe(0);
    await ann.clock.fastForward(2_000);
    await ann.getByRole('navigation').getByRole('button', { name: 'Lobby' }).getByText('2 unread').waitFor();
  });

  it('counts what is unread also where the server has begun anew since this browser was here last', async () => {
    const [ann, bob] = [await openAs('ann', { room: 'Lobby' }), await openAs('bob', { room: 'Music' })];
    await ann.evaluate(() => localStorage.setItem('multichat:read:1:music', '99'));
    for (const name of ['Music', 'Lobby']) {
      await ann.getByRole('navigation').getByRole('button', { name }).click();
      await ann.getByRole('heading', { name }).waitFor();
    }
    await write(bob, 'The first of today');
    await ann.getByRole('navigation').getByRole('button', { name: 'Music' }).getByText('1 unread').waitFor();
  });

  it('takes nothing away from what is pasted, but says by how much it is too long', async () => {
    const ann = await openAs('ann');
    const box = messageBox(ann);
    await box.fill('x'.repeat(4_000));
    await ann.getByText('2000 too many').waitFor();
    await ann.keyboard.press('Enter');
    expect((await box.inputValue()).length).toBe(4_000);
    expect(await textsOn(ann)).toEqual([]);
    await box.fill('x'.repeat(2_000));
    await ann.keyboard.press('Enter');
    await expect.poll(() => log.last('lobby')).toBe(1);
  });

  it('says so where the address names no room', async () => {
    const ann = await openAs('ann');
    for (const name of ['nothing', 'a b', '100%', '%E0%A4%A', 'music#2', '__proto__']) {
      await ann.evaluate((hash) => {
        location.hash = hash;
      }, `#${name}`);
      await ann.getByRole('alert').getByText('There is no such room.').waitFor();
      await ann.getByRole('button', { name: 'Dismiss' }).click();
      await write(ann, `Never mind ${name}`);
    }
  });

  it('keeps names of another direction apart from the sentences that they stand in', async () => {
    const name = `דוד!${'ד'.repeat(60)}`;
    rename(name);
    const [bob, ann] = [await openAs('bob', { hasClock: true, viewport: { width: 320, height: 640 } }), await openAs('ann')];
    await messageBox(ann).pressSequentially('Shalom');
    await bob.locator('#typing bdi').getByText(name).waitFor();
    await ann.keyboard.press('Enter');
    await bob.clock.fastForward(10_000);
    await logOf(bob).getByText('came in').locator('bdi').getByText(name).waitFor();
    expect(await logOf(bob).evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)).toBe(true);
  });

  it('fits a phone of 320 pixels in every state, with a long name', async () => {
    rename(longName);
    await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
    const ann = await openAs('ann', { url: `http://127.0.0.1:${proxy.port}`, viewport: { width: 320, height: 640 } });
    const fits = () =>
      ann.evaluate(
        () =>
          document.documentElement.scrollWidth <= 320 &&
          document.documentElement.scrollHeight <= 640 &&
          [...document.querySelectorAll('.top *')].every((each) => each.getBoundingClientRect().right <= 320),
      );
    const isCut = (place: string) => ann.locator(place).evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
    await write(ann, 'x'.repeat(200));
    for (let line = 1; line <= 8; line += 1) await write(ann, `Line ${line}`);
    expect(await fits()).toBe(true);
    await ann.locator('summary').click();
    expect(await isCut('#people .name')).toBe(true);
    await ann.getByRole('navigation').getByRole('button', { name: 'Staff room' }).click();
    await ann.getByRole('alert').getByText('staff only').waitFor();
    expect(await fits()).toBe(true);
    await ann.context().setOffline(true);
    await state(ann, 'You are offline.');
    await write(ann, 'On its way');
    expect(await accessibilityProblems(ann)).toEqual([]);
    expect(await fits()).toBe(true);
    await ann.context().setOffline(false);
    await state(ann, 'Connected');
    proxy.setMode('refuse');
    await state(ann, 'Connection lost. Reconnecting…');
    expect(await fits()).toBe(true);
    proxy.setMode('forward');
    await state(ann, 'Connected');
    await ann.context().clearCookies();
    for (const channel of chat.channels.channels) channel.close(3000, 'token revoked');
    await ann.getByRole('alert').getByText('logged out').waitFor();
    expect(await fits()).toBe(true);
    expect(await hasFocus(ann)).toBe(true);
  });

  it('says by more than a colour, where the reader has chosen the colours', async () => {
    const ann = await openAs('ann', { forcedColors: 'active' });
    await write(ann, 'Plain to see');
    const borderOf = (place: string) =>
      ann
        .locator(place)
        .first()
        .evaluate((element) => Number.parseFloat(getComputedStyle(element).borderTopWidth));
    await ann.getByRole('navigation').getByRole('button', { name: 'Staff room' }).click();
    await ann.getByRole('alert').getByText('staff only').waitFor();
    for (const place of ['.bubble', '#notice']) expect(await borderOf(place)).toBeGreaterThan(0);
    expect(await borderOf('nav button[aria-current]')).toBeGreaterThan(await borderOf('nav li:last-child button'));
  });

  it('reads out what others write, but neither what one writes oneself, nor who comes and goes, nor each attempt to reconnect', async () => {
    await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
    const [ann, bob] = [await openAs('ann', { url: `http://127.0.0.1:${proxy.port}` }), await openAs('bob')];
    await write(bob, 'From bob');
    await write(ann, 'From ann');
    await logOf(ann).getByText('From bob').waitFor();
    const isReadOut = (text: string) =>
      logOf(ann)
        .locator('li', { hasText: text })
        .evaluate((item) => item.closest('[aria-live]') === item.closest('[role="log"]'));
    expect([await isReadOut('From bob'), await isReadOut('From ann')]).toEqual([true, false]);
    await ann.evaluate(() => {
      const said: string[] = [];
      const place = document.querySelector('#state-text') as HTMLElement;
      new MutationObserver(() => said.push(place.textContent ?? '')).observe(place, { childList: true });
      Object.assign(window, { said });
    });
    let attempts = 0;
    ann.on('websocket', () => {
      attempts += 1;
    });
    proxy.setMode('refuse');
    await expect.poll(() => attempts).toBeGreaterThan(1);
    proxy.setMode('forward');
    await state(ann, 'Connected');
    expect(await ann.evaluate(() => (window as unknown as { said: string[] }).said)).toEqual([
      'Connection lost. Reconnecting…',
      'Connected',
    ]);
  });

  it.each([
    ['200 %', { width: 640, height: 360 }],
    ['400 %', { width: 320, height: 180 }],
  ])('shows at least five messages at %s, and what has happened', async (_, viewport) => {
    const ann = await openAs('ann', { viewport, forcedColors: 'active' });
    for (let line = 1; line <= 7; line += 1) await write(ann, `Line ${line}`);
    await logOf(ann).scrollIntoViewIfNeeded();
    await logOf(ann).evaluate((element) => element.scrollIntoView());
    const visible = await logOf(ann)
      .locator('.bubble')
      .evaluateAll(
        (bubbles) =>
          bubbles.filter((bubble) => bubble.getBoundingClientRect().top >= 0 && bubble.getBoundingClientRect().bottom <= innerHeight + 1)
            .length,
      );
    expect(visible).toBeGreaterThanOrEqual(5);
    expect(await ann.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await ann.context().clearCookies();
    for (const channel of chat.channels.channels) channel.close(3000, 'token revoked');
    const notice = ann.getByRole('alert').filter({ hasText: 'logged out' });
    await notice.waitFor();
    const { y, height } = (await notice.boundingBox())!;
    expect([y >= -1, y + height <= viewport.height + 1]).toEqual([true, true]);
  });

  it('has no more listeners after many changes of the room', async () => {
    const ann = await openAs('ann');
    const visit = async (name: string): Promise<void> => {
      await ann.getByRole('navigation').getByRole('button', { name }).click();
      await ann.getByRole('heading', { name }).waitFor();
    };
    await visit('Music');
    const session = await ann.context().newCDPSession(ann);
    await session.send('Performance.enable');
    const listeners = async (): Promise<number> => {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'JSEventListeners')!.value;
    };
    const before = await listeners();
    for (let round = 0; round < 5; round += 1) for (const name of ['Lobby', 'Music']) await visit(name);
    expect(await listeners()).toBeLessThan(before + 5);
    await session.detach();
  });
});
