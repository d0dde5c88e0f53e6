import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { app } from '../src/nestjs-mistaken.js';
import { type Client, connect, tokenCookie } from './support/client.js';

await app.listen(0, '127.0.0.1');
after(() => app.close());

async function answersTo(...events: readonly string[]): Promise<string[]> {
  const client: Client = await connect(app.getHttpServer(), '/chat', tokenCookie);
  client.socket.once('open', () => {
    for (const event of [...events, 'plain']) client.socket.send(JSON.stringify({ event, data: 'hi' }));
  });
  const answers: string[] = [];
  while (answers.at(-1) !== 'plain') answers.push(((await client.nextJson()) as { event: string }).event);
  return answers;
}

test('a wrapper above @SubscribeMessage leaves NestJS nothing to call', async () => {
  assert.deepEqual(await answersTo('above'), ['plain']);
});

test('a wrapper below it is given no message of a channel, and throws', async () => {
  assert.deepEqual((await answersTo('below')).toSorted(), ['exception', 'plain']);
});
