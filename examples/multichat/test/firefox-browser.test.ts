import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page, TestBrowser } from '../../../test/support/browser.js';
import { eventually } from '../../../test/support/eventually.js';
import { firefoxPath, startFirefox } from '../../../test/support/firefox.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { Visitor } from './support/visitor.js';

const missing = firefoxPath === undefined && !process.env['CI'];
const because = missing ? ' (skipped: Firefox is missing; install firefox-esr, or set FIREFOX_PATH)' : '';

/** Machines that run other things at the same time are slow. */
const startMs = 120_000;

let firefox: TestBrowser;
let chat: MultiChat;
beforeAll(async () => {
  if (missing) return;
  [firefox, chat] = await Promise.all([startFirefox(), startMultiChat({ auth: 'token' })]);
}, startMs);
afterAll(() => Promise.all([firefox?.close(), chat?.close()]), startMs);

/** Waits until an expression is true on the page. */
const until = (page: Page, expression: string) => eventually(async () => expect(await page.evaluate(expression)).toBe(true));
const roomButton = (name: string) => `[...document.querySelectorAll('nav button')].find((each) => each.textContent.includes('${name}'))`;
const logHas = (text: string) => `document.querySelector('#log').textContent.includes('${text}')`;

it.skipIf(missing)(`the page works in Firefox: log-in, rooms, messages, a cut, and the panel${because}`, { timeout: 60_000 }, async () => {
  const page = await firefox.open(`${chat.url}/login`);
  await page.evaluate(`document.querySelector('[data-name="ann"]').click()`);
  await page.evaluate(`void document.querySelector('form').requestSubmit()`);
  await until(page, `document.querySelector('#state-text')?.textContent === 'Connected'`);

  await page.evaluate(`${roomButton('Lobby')}.click()`);
  await until(page, `document.activeElement.id === 'text'`);
  await page.evaluate(`document.execCommand('insertText', false, 'Hello from Firefox')`);
  await page.evaluate(`document.querySelector('#composer').requestSubmit()`);
  const bob = await (await new Visitor(chat.url).logIn('bob', 'bicycle')).open();
  bob.send({ command: 'join', room: 'lobby' });
  await bob.next('joined');
  await until(page, `${logHas('Hello from Firefox')} && document.querySelector('.sending') === null`);

  await page.evaluate(`${roomButton('Music')}.click()`);
  await until(page, `document.querySelector('#room-name').textContent === 'Music'`);
  for (const channel of chat.channels.channels) if (channel.user.id === '1') channel.terminate();
  bob.write('lobby', 'Where did you go?');
  await until(page, `${roomButton('Lobby')}.textContent.includes('1 unread')`);
  await page.evaluate('history.back()');
  await until(page, logHas('Where did you go?'));

  await page.evaluate(`document.querySelector('#open-connection').click()`);
  await until(page, `document.querySelector('#connection dl').textContent.includes('1006')`);
  expect(await page.evaluate('document.activeElement.id')).toBe('connection-heading');
});
