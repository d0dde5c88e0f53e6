import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnMongo, openDatabase, url as serverUrl } from '../../../test/adapters/mongodb/mongo.js';
import { because, missing } from '../../../test/support/chromium.js';
import { eventually } from '../../../test/support/eventually.js';
import { startTcpProxy } from '../../../test/support/tcp-proxy.js';
import { mongoBackend } from '../src/mongo-backend.js';
import { startMultiChat } from '../src/multichat.js';
import { BrowserPages } from './support/browser-pages.js';

const patienceMs = 90_000;

describeOnMongo('MultiChat on MongoDB, in a browser', () => {
  const { db } = openDatabase();
  let pages: BrowserPages | undefined;
  beforeAll(async () => {
    if (!missing) pages = await BrowserPages.start(patienceMs / 2);
  }, patienceMs);
  afterAll(() => pages?.[Symbol.asyncDispose](), patienceMs);

  it.skipIf(missing)(`shows that it reconnects while the database is out of reach${because}`, { timeout: patienceMs }, async () => {
    await using proxy = await startTcpProxy(Number(new URL(serverUrl).port));
    const backend = mongoBackend(`mongodb://127.0.0.1:${proxy.port}/${db.databaseName}?directConnection=true`, {
      reachMs: 1_000,
    });
    const chat = await eventually(() => startMultiChat({ auth: 'token', backend, live: { revalidate: { everyMs: 500 }, maxStaleMs: 0 } }));
    const page = await pages!.open();
    try {
      await page.goto(chat.url);
      await page.getByRole('button', { name: 'Use ann' }).click();
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('navigation').getByRole('button', { name: 'Lobby' }).click();
      await page.getByRole('heading', { name: 'Lobby' }).waitFor();
      await write(page, 'Hello');
      await page.getByRole('log').getByText('Sending…').waitFor({ state: 'detached' });
      proxy.setMode('refuse');
      await page.getByRole('status').getByText('Connection lost. Reconnecting…').waitFor();
      await page.getByRole('textbox', { name: 'Message' }).fill('Meanwhile');
      await page.keyboard.press('Enter');
      await page.getByRole('log').getByText('Sending…').waitFor();
      const second = await page.context().newPage();
      expect((await second.goto(chat.url))?.status()).toBe(503);
      await second.getByRole('heading', { name: 'Try again in a moment' }).waitFor();
      proxy.setMode('forward');
      await expect
        .poll(async () => {
          await second
            .getByRole('link', { name: 'Try again' })
            .click({ timeout: 1_000 })
            .catch(() => {});
          return second.getByText('Connected', { exact: true }).count();
        })
        .toBe(1);
      await page.getByText('Connected', { exact: true }).waitFor();
      await page.getByRole('log').getByText('Sending…').waitFor({ state: 'detached' });
      await write(page, 'Here again');
      expect(await page.getByRole('log').locator('.bubble').allTextContents()).toEqual(['Hello', 'Meanwhile', 'Here again']);
    } finally {
      await pages!.reset();
      await chat.close();
    }
  });
});

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
  await page.getByRole('log').getByText(text).waitFor();
}
