import { MongoClient } from 'mongodb';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnMongo } from '../../../test/adapters/mongodb/mongo.js';
import { because, missing } from '../../../test/support/chromium.js';
import { freePort } from '../../../test/support/free-port.js';
import { type Mongod, startMongod } from '../../../test/support/mongod.js';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.js';
import type { ChatMessage } from '../src/events.js';
import { BrowserPages } from './support/browser-pages.js';
import { connected, join, textsOn, write } from './support/chat-page.js';
import { killAll, startChatAt } from './support/chat-process.js';

const patienceMs = 180_000;

describeOnMongo('An evening in MultiChat', () => {
  let mongod: Mongod;
  let pages: BrowserPages | undefined;
  beforeAll(async () => {
    if (missing) return;
    await Promise.all([
      startMongod().then((started) => (mongod = started)),
      BrowserPages.start(patienceMs / 3).then((started) => (pages = started)),
    ]);
  }, patienceMs);
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]();
    await killAll();
    await mongod?.stop();
  }, patienceMs);

  const urlOf = (proxy: TcpProxy) => `http://127.0.0.1:${proxy.port}`;
  const portOf = (url: string) => Number(new URL(url).port);

  it.skipIf(missing)(`ends with one log for both, whatever has broken${because}`, { timeout: patienceMs }, async () => {
    const database = `mongodb://127.0.0.1:${mongod.port}/evening?directConnection=true`;
    let first = await startChatAt(await freePort(), database);
    const second = await startChatAt(0, database);
    await using annsLine = await startTcpProxy(portOf(first.url));
    await using bobsLine = await startTcpProxy(portOf(second.url));
    const ann = await pages!.openAs(urlOf(annsLine), 'ann', 'lemonade');
    const bob = await pages!.openAs(urlOf(bobsLine), 'bob', 'bicycle');
    await enter(ann);
    await enter(bob);
    const said: string[] = [];
    const say = async (page: Page, text: string): Promise<void> => {
      said.push(text);
      await write(page, text);
    };
    const bothSay = async (when: string): Promise<void> => {
      for (const [name, page] of [
        ['ann', ann],
        ['bob', bob],
      ] as const)
        for (const number of [1, 2]) await say(page, `${name} ${when}, ${number}`);
    };
    const settled = async (): Promise<void> => {
      for (const page of [ann, bob]) {
        await connected(page);
        await expect.poll(() => leftToSend(page), { timeout: patienceMs / 3 }).toBe(0);
        await expect.poll(async () => (await textsOn(page)).length, { timeout: patienceMs / 3 }).toBe(said.length);
      }
    };

    await bothSay('when all is well');
    await settled();

    annsLine.setMode('refuse');
    await bothSay('while the network is cut');
    annsLine.setMode('forward');
    await settled();

    bobsLine.setMode('swallow');
    await bothSay('while a line is half open');
    bobsLine.setMode('forward');
    await bob.evaluate(() => dispatchEvent(new Event('online'))); // a ping goes out at once, rather than in some seconds
    await settled();

    await mongod.kill();
    await bothSay('while the database is stopped');
    await mongod.restart();
    await settled();

    await first.kill();
    await bothSay('while a process is dead');
    first = await startChatAt(portOf(first.url), database);
    await settled();

    await ann.getByRole('button', { name: 'Devices' }).click();
    await ann.getByRole('button', { name: 'Log out everywhere' }).click();
    await ann.getByRole('button', { name: 'Use ann' }).click();
    await say(bob, 'bob while ann is logged out');
    await ann.getByRole('button', { name: 'Log in' }).click();
    await enter(ann);
    await say(ann, 'ann when all is over');
    await settled();

    const kept = await keptIn(database);
    expect(await textsOn(ann)).toEqual(kept);
    expect(await textsOn(bob)).toEqual(kept);
    expect(kept.toSorted()).toEqual(said.toSorted());
    expect(await pages!.reset()).toEqual([]);
  });
});

async function enter(page: Page): Promise<void> {
  await connected(page);
  await join(page, 'Lobby');
}

/** How many messages wait; those that were given up, as on a slow machine, are sent again. */
async function leftToSend(page: Page): Promise<number> {
  for (const again of await page.getByRole('button', { name: 'Send again' }).all()) await again.click();
  return page.locator('.sending').count();
}

async function keptIn(database: string): Promise<string[]> {
  const client = new MongoClient(database);
  try {
    const messages = await client
      .db()
      .collection<ChatMessage>('messages')
      .find({ room: 'lobby' }, { sort: { number: 1 } })
      .toArray();
    return messages.map(({ text }) => text);
  } finally {
    await client.close();
  }
}
