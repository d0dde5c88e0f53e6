import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app } from '../src/fastify.js';
import { connect, tokenCookie } from './support/client.js';

await app.listen({ host: '127.0.0.1', port: 0 });

test('the user of a token is greeted and answered on a route of Fastify', async () => {
  const client = await connect(app.server, '/chat', tokenCookie);
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hi');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hi' });
});

test('what a client sends as soon as the socket is open is not lost', async () => {
  const client = await connect(app.server, '/chat', tokenCookie);
  client.socket.once('open', () => client.socket.send('early'));
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'early' });
});

test('who has no token is closed with a code', async () => {
  const client = await connect(app.server, '/chat');
  assert.deepEqual(await client.closed, { code: 3000, reason: 'authentication required' });
});

test('Fastify closes in order', async () => {
  const client = await connect(app.server, '/chat', tokenCookie);
  await client.next();
  await app.close();
  assert.equal((await client.closed).code, 1012);
});
