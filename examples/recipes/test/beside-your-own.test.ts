import assert from 'node:assert/strict';
import { test } from 'node:test';
import { server, statistics } from '../src/beside-your-own.js';
import { connect, tokenCookie } from './support/client.js';

test('listeners of your own and handlers of channels hear the same socket', async () => {
  const client = await connect(server, '/', tokenCookie);
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hello');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hello' });
  assert.deepEqual(statistics, { connections: 1, bytes: 5 });
});

test('who has no token is closed with a code', async () => {
  const client = await connect(server, '/');
  assert.deepEqual(await client.closed, { code: 3000, reason: 'authentication required' });
});
