import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { channels, server } from '../src/hono.js';
import { connect, portOf, refusal, tokenCookie } from './support/client.js';

after(() => channels.close());

test('the user of a token is greeted and answered beside an application of Hono', async () => {
  const client = await connect(server, '/chat', tokenCookie);
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hi');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hi' });
});

test('who has no token is refused before there is a socket, and other paths are not ours', async () => {
  assert.equal(await refusal(server, '/chat'), 401);
  assert.equal(await refusal(server, '/elsewhere', tokenCookie), 404);
});

test('requests of HTTP go to Hono', async () => {
  const response = await fetch(`http://127.0.0.1:${await portOf(server)}/`);
  assert.equal(await response.text(), 'the site');
});
