import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { MongoTokenRepository } from '../../../entries/mongodb.js';
import { WsClient } from '../../support/ws-client.js';
import { describeOnMongo, openDatabase, url } from './mongo.js';

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

describeOnMongo('a server whose process is killed', () => {
  const { db } = openDatabase();
  const tokens = new MongoTokenRepository(db);
  const cookies: string[] = [];

  beforeAll(async () => {
    for (const _id of ['ann', 'bob', 'cem']) {
      await db.collection<{ _id: string }>('users').insertOne({ _id });
      cookies.push(`key=${(await tokens.issue(_id)).key}`);
    }
  });

  async function start(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
    const program = fileURLToPath(new URL('killed-server.mjs', import.meta.url));
    const child = fork(program, [url, db.databaseName], { execArgv: [] });
    children.add(child);
    const [port] = (await once(child, 'message')) as [number];
    return { child, port };
  }

  it('and starts again has each session as it was saved last, and goes on saving it', async () => {
    let least = [0, 0, 0];
    let most = [0, 0, 0];
    for (const said of [7, 40]) {
      const { child, port } = await start();
      const clients = await Promise.all(cookies.map((cookie) => WsClient.connect(port, { cookie })));
      const found = await Promise.all(clients.map((client) => client.nextJson()));
      found.forEach((count, index) => {
        expect(count).toBeGreaterThanOrEqual(least[index] as number);
        expect(count).toBeLessThanOrEqual(most[index] as number);
      });
      for (const client of clients) for (let message = 0; message < 50; message += 1) client.send('one more');
      const answers = await Promise.all(clients.map((client) => client.take(said)));
      child.kill('SIGKILL'); // in the middle of the rest
      await once(child, 'exit');
      // an answer goes out before its own save, and after those before it
      least = answers.map((each) => Number(each.at(-1)) - 1);
      most = found.map((count) => Number(count) + 50);
    }
    const { port } = await start();
    for (const cookie of cookies) {
      const client = await WsClient.connect(port, { cookie });
      const count = Number(await client.nextJson());
      client.send('one more');
      expect(await client.nextJson()).toBe(count + 1);
      await client.close();
    }
  });
});
