import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app } from '../src/nestjs.js';
import { connect, tokenCookie } from './support/client.js';

await app.listen(0, '127.0.0.1');
const server = app.getHttpServer();

test('the user of a token is greeted and answered through a gateway of NestJS', async () => {
  const client = await connect(server, '/chat', tokenCookie);
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hi');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hi' });
});

test('who has no token is closed with a code', async () => {
  const client = await connect(server, '/chat');
  assert.deepEqual(await client.closed, { code: 3000, reason: 'authentication required' });
});

test('NestJS closes the channels when it is closed', async () => {
  const client = await connect(server, '/chat', tokenCookie);
  await client.next();
  await app.close();
  assert.equal((await client.closed).code, 1012);
});
