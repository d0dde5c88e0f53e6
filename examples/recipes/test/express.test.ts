import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { channels, server, store } from '../src/express.js';
import { connect, cookiesOf, post, refusal } from './support/client.js';

after(async () => {
  await channels.close();
  await store.close();
});

test('a visitor who has logged in is greeted by name, and answered', async () => {
  const cookie = cookiesOf(await post(server, '/login'));
  const client = await connect(server, '/chat', cookie);
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hi');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hi' });
});

test('a visitor who has not is refused before there is a socket', async () => {
  assert.equal(await refusal(server, '/chat'), 401);
});

test('log-out ends the sockets of that session, and nobody comes in with its cookie', async () => {
  const cookie = cookiesOf(await post(server, '/login'));
  const client = await connect(server, '/chat', cookie);
  await client.next();
  const other = await connect(server, '/chat', cookiesOf(await post(server, '/login')));
  await other.next();
  assert.equal((await post(server, '/logout', { cookie })).status, 204);
  assert.deepEqual(await client.closed, { code: 3000, reason: 'session ended' });
  assert.equal(await refusal(server, '/chat', cookie), 401);
  other.socket.send('still here');
  assert.deepEqual(await other.nextJson(), { from: 'ada', text: 'still here' });
});
