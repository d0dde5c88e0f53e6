import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnMongo, openDatabase, url as serverUrl } from '../../../test/adapters/mongodb/mongo.js';
import { because, missing } from '../../../test/support/chromium.js';
import { eventually } from '../../../test/support/eventually.js';
import { startTcpProxy } from '../../../test/support/tcp-proxy.js';
import { mongoBackend } from '../src/mongo-backend.js';
import { startMultiChat } from '../src/multichat.js';
import { BrowserPages } from './support/browser-pages.js';
import { join, logOf, submitLogIn, textsOn, write } from './support/chat-page.js';

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
      await submitLogIn(page, 'ann');
      await join(page, 'Lobby');
      await write(page, 'Hello');
      await logOf(page).getByText('Sending…').waitFor({ state: 'detached' });
      proxy.setMode('refuse');
      await page.getByRole('status').getByText('Connection lost. Reconnecting…').waitFor();
      await write(page, 'Meanwhile');
      await logOf(page).getByText('Sending…').waitFor();
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
      await logOf(page).getByText('Sending…').waitFor({ state: 'detached' });
      await write(page, 'Here again');
      expect(await textsOn(page)).toEqual(['Hello', 'Meanwhile', 'Here again']);
    } finally {
      await pages!.reset();
      await chat.close();
    }
  });
});
