import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { because, missing } from '../../../test/support/chromium.js';
import { startTcpProxy } from '../../../test/support/tcp-proxy.js';
import { demoUsers } from '../src/accounts.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { accessibilityProblems } from './support/accessibility-problems.js';
import { BrowserPages, type PageOptions } from './support/browser-pages.js';
import { connected, drawn, join, logOf, messageBox, roomButton, submitLogIn, write } from './support/chat-page.js';

if (missing) console.warn('MultiChat is not tested in a browser: Chromium is missing. Install it, or set CHROMIUM_PATH.');
/** Machines that run other things at the same time are slow. */
const patienceMs = 60_000;

const passwordOf: Readonly<Record<string, string>> = Object.fromEntries(demoUsers.map(({ member, password }) => [member.name, password]));

describe.skipIf(missing)(`MultiChat in a browser${because}`, { timeout: patienceMs }, () => {
  let pages: BrowserPages;
  let chat: MultiChat;
  beforeAll(async () => {
    pages = await BrowserPages.start(patienceMs / 2);
  }, patienceMs);
  afterAll(() => pages?.[Symbol.asyncDispose](), patienceMs);
  afterEach(async () => {
    const complaints = await pages.reset();
    await chat.close();
    expect(complaints).toEqual([]);
  }, patienceMs);

  /** A page of somebody who has logged in before. */
  async function openAs(name: string, { url = chat.url, ...options }: PageOptions & { readonly url?: string } = {}): Promise<Page> {
    const page = await pages.openAs(url, name, passwordOf[name]!, options);
    await connected(page);
    return page;
  }

  async function logIn(page: Page, name: string): Promise<void> {
    await submitLogIn(page, name);
    await connected(page);
  }

  /** The page says that it was ended, and why. */
  const ended = (page: Page, why: string) => page.getByRole('alert').getByText(why).waitFor();
  const people = (page: Page) => page.getByRole('complementary', { name: 'People in this room' });

  describe.each(['token', 'session'] as const)('with --auth=%s', (auth) => {
    beforeEach(async () => {
      chat = await startMultiChat({ auth, notices: { upTo: 20, graceMs: 0 } });
    }, patienceMs);

    it('logs out: back at the log-in, others see the user leave, and other tabs say so until the next log-in', async () => {
      const [ann, bob] = [await openAs('ann'), await openAs('bob')];
      await join(ann, 'Lobby');
      await join(bob, 'Lobby');
      const second = await ann.context().newPage();
      await second.goto(chat.url);
      await connected(second);
      await ann.getByRole('button', { name: 'Log out' }).click();
      await ann.getByRole('button', { name: 'Log in' }).waitFor();
      await ended(second, 'You were logged out of this device.');
      await logOf(bob).getByText('ann left').waitFor();
      expect(await ann.context().cookies()).toEqual([]);
      expect(await ann.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain('ann');
      await logIn(ann, 'ann');
      await connected(second);
    });

    it('says so where the log-in ended while it was away', async () => {
      const ann = await openAs('ann');
      await ann.context().clearCookies();
      for (const channel of chat.channels.channels) channel.terminate();
      await ended(ann, 'You are not logged in any more.');
    });

    it('says why it was closed, and comes back where there is a use in it', async () => {
      await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
      const ann = await openAs('ann', { url: `http://127.0.0.1:${proxy.port}` });
      const interruptions: [number, string, string][] = [
        [1012, 'restarting', 'Connection lost. Reconnecting… The server is being restarted.'],
        [1013, 'try again later', 'Connection lost. Reconnecting… The server cannot do its work just now.'],
      ];
      await ann.evaluate(() => {
        const shown: string[] = [];
        const state = document.querySelector('#state-text') as HTMLElement;
        new MutationObserver(() => shown.push(state.textContent ?? '')).observe(state, { childList: true });
        Object.assign(window, { shown });
      });
      for (const [code, reason, text] of interruptions) {
        for (const channel of chat.channels.channels) channel.close(code, reason);
        // it comes back by itself, and may be back before one has looked
        await expect.poll(() => ann.evaluate(() => (window as unknown as { shown: string[] }).shown)).toContain(text);
        await connected(ann);
        await ann.getByRole('button', { name: 'How you are connected' }).click();
        const panel = ann.getByRole('dialog', { name: 'How you are connected' });
        await panel.getByText(`${code} ${reason}`).waitFor();
        await panel.getByText(auth === 'token' ? 'a token, in the cookie “key”' : 'the session of this site').waitFor();
        await panel.getByText(`process ${process.pid}`).waitFor();
        expect(await panel.locator('time').first().textContent()).toMatch(/\d/);
        expect(await panel.getByRole('link').getAttribute('href')).toBe('/docs');
        if (code === 1012) expect(await accessibilityProblems(ann)).toEqual([]);
        await panel.getByRole('button', { name: 'Close' }).click();
      }
      await ann.context().clearCookies();
      for (const channel of chat.channels.channels) channel.close(3000, 'token expired');
      await ended(ann, 'Your log-in has expired.');
    });
  });

  describe('has a page', () => {
    beforeEach(async () => {
      chat = await startMultiChat({ auth: 'token', notices: { upTo: 20, graceMs: 0 } });
    }, patienceMs);

    it('keeps the log-in and the rooms over a reload', async () => {
      const ann = await pages.open();
      await ann.goto(chat.url);
      await logIn(ann, 'ann');
      await join(ann, 'Kitchen');
      await write(ann, 'Soup is on');
      await ann.reload();
      await connected(ann);
      await logOf(ann).getByText('Soup is on').waitFor();
      await people(ann).getByText('1 person here').waitFor();
    });

    it('logs out other devices, whose pages say so and keep what is half written until the next log-in', async () => {
      const agent = 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
      const [desk, phone] = [await openAs('ann'), await openAs('ann', { userAgent: agent, viewport: { width: 390, height: 780 } })];
      await join(phone, 'Lobby');
      await messageBox(phone).fill('Half a thought');
      await desk.getByRole('button', { name: 'Devices' }).click();
      await desk.getByText('this device').waitFor();
      expect(await accessibilityProblems(desk)).toEqual([]);
      await desk.getByRole('button', { name: 'Log out Chrome on Android' }).click();
      await ended(phone, 'You were logged out of this device. What you were writing is kept.');
      await desk.getByRole('button', { name: 'Log out Chrome on Android' }).waitFor({ state: 'detached' });
      expect(await messageBox(phone).inputValue()).toBe('Half a thought');
      expect(await accessibilityProblems(phone)).toEqual([]);

      await phone.getByRole('link', { name: 'Log in again' }).click();
      await logIn(phone, 'ann');
      await phone.getByRole('heading', { name: 'Lobby' }).waitFor();
      expect(await messageBox(phone).inputValue()).toBe('Half a thought');

      await desk.getByRole('button', { name: 'Log out everywhere' }).click();
      await desk.getByRole('button', { name: 'Log in' }).waitFor();
      await ended(phone, 'You were logged out of this device.');
    });

    it('says so where the password is wrong', async () => {
      const page = await pages.open();
      await page.goto(chat.url);
      await page.getByLabel('Name').fill('ann');
      await page.getByLabel('Password').fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('do not go together').waitFor();
      expect(await page.getByLabel('Name').inputValue()).toBe('ann');
      expect(await page.getByLabel('Password').evaluate((input) => input === document.activeElement)).toBe(true);
      expect(await accessibilityProblems(page)).toEqual([]);
    });

    it('shows two users how the other enters, types, writes and leaves', async () => {
      const [ann, bob] = [await openAs('ann'), await openAs('bob')];
      await join(ann, 'Lobby');
      await people(ann).getByText('1 person here').waitFor();
      await join(bob, 'Lobby');
      await logOf(ann).getByText('bob came in').waitFor();
      await people(ann).getByText('2 people here').waitFor();
      await people(ann).getByText('bob').waitFor();

      await messageBox(bob).pressSequentially('Hi');
      await ann.getByText('bob is typing…').waitFor();
      await bob.keyboard.press('Enter');
      await logOf(ann).getByText('Hi', { exact: true }).waitFor();
      await ann.getByText('bob is typing…').waitFor({ state: 'detached' });
      await write(ann, '<img src=x onerror=alert(1)> & more');
      await logOf(bob).getByText('<img src=x onerror=alert(1)> & more').waitFor();

      await bob.getByRole('button', { name: 'Leave' }).click();
      await logOf(ann).getByText('bob left').waitFor();
      await people(ann).getByText('1 person here').waitFor();
      await expect.poll(() => roomButton(bob, 'Lobby').evaluate((button) => button === document.activeElement)).toBe(true);
    });

    it('counts what was not read in other rooms, also over a reload', async () => {
      const [ann, bob] = [await openAs('ann'), await openAs('bob')];
      await join(ann, 'Lobby');
      await join(bob, 'Lobby');
      await write(bob, 'One');
      await logOf(ann).getByText('One').waitFor();
      await join(ann, 'Music');
      await write(bob, 'Two');
      await write(bob, 'Three');
      await roomButton(ann, 'Lobby').getByText('2 unread').waitFor();
      expect(await ann.title()).toBe('(2) Music – MultiChat');
      await ann.reload();
      await ann.getByRole('heading', { name: 'Music' }).waitFor();
      await roomButton(ann, 'Lobby').getByText('2 unread').waitFor();
      await join(ann, 'Lobby');
      await roomButton(ann, 'Lobby').getByText('unread').waitFor({ state: 'detached' });
    });

    it('keeps the newest message in sight, but not from a reader who has scrolled up', async () => {
      const small = { viewport: { width: 390, height: 500 } };
      const [ann, bob] = [await openAs('ann', small), await openAs('bob')];
      await join(ann, 'Lobby');
      await join(bob, 'Lobby');
      for (let line = 1; line <= 12; line += 1) await write(bob, `Line ${line} of the story`);
      await logOf(ann).getByText('Line 12').waitFor();
      const distance = () => logOf(ann).evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
      expect(await distance()).toBeLessThan(5);
      await roomButton(ann, 'Staff room').click();
      await ann.getByRole('alert').getByText('staff only').waitFor();
      await expect.poll(distance).toBeLessThan(5);
      await logOf(ann).focus();
      await ann.keyboard.press('Home');
      await expect.poll(() => logOf(ann).evaluate(({ scrollTop }) => scrollTop)).toBe(0);
      await drawn(ann);
      await write(bob, 'The end');
      await ann.getByRole('button', { name: 'New messages' }).click();
      await expect.poll(distance).toBeLessThan(5);
    });

    it('tells others kindly that a room is for staff, and goes on', async () => {
      const [ann, bob] = [await openAs('ann'), await openAs('bob')];
      await join(ann, 'Lobby');
      await roomButton(ann, 'Staff room').click();
      await ann.getByRole('alert').getByText('The Staff room is for staff only').waitFor();
      expect(await accessibilityProblems(ann)).toEqual([]);
      await write(ann, 'Oh well.');
      await ann.getByRole('button', { name: 'Dismiss' }).click();
      expect(await ann.getByRole('alert').textContent()).toBe('');
      await join(bob, 'Staff room');
      await write(bob, 'Quiet in here');
    });

    it('lets two tabs of a user share rooms, and others see them leave with the last', async () => {
      const [ann, bob] = [await openAs('ann'), await openAs('bob')];
      await join(ann, 'Lobby');
      await join(bob, 'Lobby');
      const second = await ann.context().newPage();
      await second.goto(chat.url);
      await roomButton(second, 'Lobby').getByText('joined').waitFor();
      await join(second, 'Music');
      await roomButton(ann, 'Music').getByText('joined').waitFor();
      await join(second, 'Lobby');
      await write(second, 'From my second tab');
      await logOf(ann).getByText('From my second tab').waitFor();

      await second.close();
      await write(ann, 'Still here');
      await logOf(bob).getByText('Still here').waitFor();
      expect(await logOf(bob).getByText('ann left').count()).toBe(0);
      await ann.close();
      await logOf(bob).getByText('ann left').waitFor();
    });

    it('says who has logged in instead in another tab, and keeps the draft', async () => {
      const ann = await openAs('ann');
      await join(ann, 'Lobby');
      await messageBox(ann).fill('Half a thought');
      const other = await ann.context().newPage();
      await other.goto(`${chat.url}/login`);
      await logIn(other, 'bob');
      await ann.getByRole('alert').getByText('Somebody logged in as bob in this browser, so ann is logged out here.').waitFor();
      expect(await messageBox(ann).inputValue()).toBe('Half a thought');
      await ann.getByRole('link', { name: 'Go on as bob' }).click();
      await connected(ann);
      expect(await ann.getByText('Half a thought').count()).toBe(0);

      // the page may hear of its end before the browser has the new cookie
      await ann.route('**/me', (route) => route.fulfill({ status: 401 }));
      await other.goto(`${chat.url}/login`);
      await submitLogIn(other, 'cleo');
      const link = ann.getByRole('link', { name: /^Go on as/ });
      await link.click();
      await connected(ann);

      // or be told so late
      await ann.route('**/me', (route) => link.waitFor().then(() => route.fulfill({ status: 401 })));
      await other.goto(`${chat.url}/login`);
      await submitLogIn(other, 'dev');
      await link.waitFor();
      await ann.evaluate(() => fetch('/me'));
      expect(await link.textContent()).toBe('Go on as dev');
    });

    it('comes back by itself when the connection breaks, with its state in sight and what is half written in its box', async () => {
      await using proxy = await startTcpProxy(Number(new URL(chat.url).port));
      const ann = await openAs('ann', { url: `http://127.0.0.1:${proxy.port}` });
      await join(ann, 'Lobby');
      await messageBox(ann).fill('Half a thought');
      proxy.setMode('refuse');
      await ann.getByRole('status').getByText('Connection lost. Reconnecting…').waitFor();
      expect(await messageBox(ann).inputValue()).toBe('Half a thought');
      proxy.setMode('forward');
      await connected(ann);
      await ann.keyboard.press('Enter');
      await logOf(ann).getByText('Half a thought').waitFor();
      expect(await roomButton(ann, 'Lobby').getAttribute('aria-current')).toBe('true');
    });

    it('keeps the address of a room over a log-in, and goes back from room to room', async () => {
      const ann = await pages.open();
      await ann.goto(`${chat.url}/#music`);
      await logIn(ann, 'ann');
      await ann.getByRole('button', { name: 'Join', exact: true }).click();
      await ann.getByRole('heading', { name: 'Music' }).waitFor();
      expect(await ann.getByRole('alert').textContent()).toBe('');
      await join(ann, 'Lobby');
      expect(new URL(ann.url()).hash).toBe('#lobby');
      await ann.goBack();
      await ann.getByRole('heading', { name: 'Music' }).waitFor();
      await ann.goForward();
      await ann.getByRole('heading', { name: 'Lobby' }).waitFor();
    });

    it('can be used with the keyboard alone', async () => {
      const page = await pages.open();
      await page.goto(chat.url);
      await page.locator('input:focus').waitFor(); // browsers do autofocus with the first frame, which may be after the load
      await page.keyboard.type('ann');
      await page.keyboard.press('Tab');
      await page.keyboard.type('lemonade');
      await page.keyboard.press('Enter');
      await connected(page);
      await page.keyboard.press('Tab');
      await page.getByRole('link', { name: 'Skip to the conversation' }).waitFor();
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Lobby' }).waitFor();
      await page.keyboard.type('No mouse');
      await page.keyboard.press('Enter');
      await logOf(page).getByText('No mouse').waitFor();
      await page.getByRole('link', { name: 'Skip to the conversation' }).focus();
      await page.keyboard.press('Enter');
      expect(await logOf(page).evaluate((element) => element === document.activeElement)).toBe(true);
      expect(new URL(page.url()).hash).toBe('#lobby');
    });

    it.each(['light', 'dark'] as const)('has nothing that axe-core finds serious, in %s colours and on a phone', async (colorScheme) => {
      const ann = await openAs('ann', { colorScheme });
      expect(await accessibilityProblems(ann)).toEqual([]);
      await join(ann, 'Lobby');
      await write(ann, 'How do I look?');
      const bob = await openAs('bob', { colorScheme, viewport: { width: 390, height: 780 } });
      await join(bob, 'Lobby');
      await write(bob, 'Readable.');
      await logOf(ann).getByText('Readable.').waitFor();
      for (const page of [ann, bob]) {
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      }
    });
  });

  describe('has a log-in page', () => {
    beforeEach(async () => {
      chat = await startMultiChat({ auth: 'token' });
    }, patienceMs);

    it.each(['light', 'dark'] as const)('with nothing that axe-core finds serious, in %s colours', async (colorScheme) => {
      const page = await pages.open({ colorScheme });
      await page.goto(chat.url);
      await page.getByRole('button', { name: 'Use ann' }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
    });

    it('at its own address too, and leads back from addresses where there is nothing', async () => {
      const page = await pages.open();
      await page.goto(`${chat.url}/login`);
      await page.getByRole('button', { name: 'Log in' }).waitFor();
      await page.goto(`${chat.url}/nothing`);
      await page.getByRole('heading', { name: 'That did not work' }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole('link', { name: 'Back to the chat' }).click();
      await page.getByRole('button', { name: 'Log in' }).waitFor();
    });

    it('that works without scripts', async () => {
      const page = await pages.open({ javaScriptEnabled: false });
      await page.goto(chat.url);
      await page.getByLabel('Name').fill('ann');
      await page.getByLabel('Password').fill('lemonade');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('button', { name: 'Log out' }).waitFor();
    });
  });
});
