import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { channels, server } from '../src/passport.js';
import { connect, cookiesOf, post, refusal } from './support/client.js';

after(() => channels.close());

const logIn = (password: string): Promise<Response> => post(server, '/login', { body: new URLSearchParams({ username: 'ada', password }) });

test('whom passport has logged in is the user of the socket', async () => {
  const client = await connect(server, '/chat', cookiesOf(await logIn('countess')));
  assert.deepEqual(await client.nextJson(), { hello: 'ada' });
  client.socket.send('hi');
  assert.deepEqual(await client.nextJson(), { from: 'ada', text: 'hi' });
});

test('whom passport has not let in is refused', async () => {
  const response = await logIn('a guess');
  assert.equal(response.status, 401);
  assert.equal(await refusal(server, '/chat', cookiesOf(response)), 401);
});

test('log-out ends the sockets of that session', async () => {
  const cookie = cookiesOf(await logIn('countess'));
  const client = await connect(server, '/chat', cookie);
  await client.next();
  assert.equal((await post(server, '/logout', { cookie })).status, 204);
  assert.deepEqual(await client.closed, { code: 3000, reason: 'session ended' });
  assert.equal(await refusal(server, '/chat', cookie), 401);
});
