// Makes the pictures of docs/images: three people talk in the chat, and a browser looks at them.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startMultiChat } from '../dist/multichat.js';

const places = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM_PATH || places.find((place) => existsSync(place));
const desktop = { viewport: { width: 1200, height: 740 } };
const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const small = { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const chat = await startMultiChat({ auth: 'token' });
const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'] });
try {
  const ann = await logIn('ann', { ...desktop, colorScheme: 'light' });
  const bob = await logIn('bob', { ...desktop, colorScheme: 'light' });
  const cleo = await logIn('cleo', { ...phone, colorScheme: 'dark' });
  for (const page of [ann, bob, cleo]) for (const room of ['Music', 'Lobby']) await join(page, room);

  await write(bob, 'Morning! The coffee machine is back.');
  await write(bob, 'And it does oat milk now.');
  await write(ann, 'You have made my day.');
  await write(cleo, 'I tried it. It is fine, which is the nicest thing anybody has said of that machine since it was new.');
  await write(ann, 'High praise! Lunch at one?');
  await join(bob, 'Music');
  await write(bob, 'Now playing: rain on a tin roof.');
  await join(bob, 'Lobby');
  await bob.getByRole('textbox', { name: 'Message' }).pressSequentially('Count me');
  for (const page of [ann, cleo]) await page.getByText('bob is typing…').waitFor();
  await save(ann, 'multichat-light-desktop');
  await save(cleo, 'multichat-dark-phone');

  await ann.getByRole('navigation').getByRole('button', { name: 'Staff room' }).click();
  await ann.getByRole('alert').getByText('staff only').waitFor();
  await save(ann, 'multichat-staff-only');

  await ann.getByRole('button', { name: 'Dismiss' }).click();
  await ann.getByRole('button', { name: 'How you are connected' }).click();
  await ann.getByRole('dialog').getByText('a token').waitFor();
  await save(ann, 'multichat-connection');

  const dev = await logIn('dev', { ...small, colorScheme: 'light' });
  await join(dev, 'Lobby');
  await dev.getByRole('log').getByText('High praise').waitFor();
  await save(dev, 'multichat-light-small-phone');

  const visitor = await (await browser.newContext({ ...desktop, colorScheme: 'light' })).newPage();
  await visitor.goto(chat.url);
  await save(visitor, 'multichat-log-in');
} finally {
  await browser.close();
  await chat.close();
}

async function logIn(name, options) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  await page.goto(chat.url);
  await page.getByRole('button', { name: `Use ${name}` }).click();
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('status').getByText('Connected', { exact: true }).waitFor();
  return page;
}

async function join(page, room) {
  await page.getByRole('navigation').getByRole('button', { name: room }).click();
  await page.getByRole('heading', { name: room }).waitFor();
}

async function write(page, text) {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('log').getByText(text).waitFor();
}

async function save(page, name) {
  const path = fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url));
  await page.screenshot({ path, animations: 'disabled' });
  console.log(path);
}
