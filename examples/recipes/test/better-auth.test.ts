import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type UserRepository, withUserFromHttp } from 'ws-with';
import { connectTo, TestClock } from 'ws-with/testing';
import { auth, channels, server, sessions } from '../src/better-auth.js';
import { connect, cookiesOf, post, refusal } from './support/client.js';

after(() => channels.close());

async function signUp(email: string): Promise<string> {
  const body = JSON.stringify({ email, password: 'a long password', name: 'Ada' });
  return cookiesOf(await post(server, '/api/auth/sign-up/email', { body }));
}

test('whom better-auth has signed in is the user of the socket', async () => {
  const cookie = await signUp('ada@example.com');
  const session = await auth.api.getSession({ headers: new Headers({ cookie }) });
  const client = await connect(server, '/chat', cookie);
  assert.deepEqual(await client.nextJson(), { hello: session?.user.id });
});

test('who is not signed in is refused, and so is a cookie whose signature is wrong', async () => {
  const cookie = await signUp('eve@example.com');
  assert.equal(await refusal(server, '/chat'), 401);
  assert.equal(await refusal(server, '/chat', cookie.replace('.', '.A')), 401);
});

test('sign-out closes the socket', async () => {
  const cookie = await signUp('grace@example.com');
  const client = await connect(server, '/chat', cookie);
  await client.next();
  const response = await auth.api.signOut({ headers: new Headers({ cookie }) });
  assert.equal(response.success, true);
  assert.deepEqual(await client.closed, { code: 3000, reason: 'session ended' });
  assert.equal(await refusal(server, '/chat', cookie), 401);
});

test('a session that ends without a sign-out ends its channel with the next sweep', async () => {
  const cookie = await signUp('alan@example.com');
  const clock = new TestClock();
  const users: UserRepository = { findById: async (id) => ({ id, isAuthenticated: true }) };
  const client = await connectTo({ connect: withUserFromHttp({ sessions, users })(() => {}) }, { headers: { cookie }, clock });
  assert.equal(client.user.isAuthenticated, true);
  await clock.advance(60_000);
  assert.equal(client.closed, undefined);
  const { adapter } = await auth.$context;
  const session = await auth.api.getSession({ headers: new Headers({ cookie }) });
  await adapter.delete({ model: 'session', where: [{ field: 'id', value: session?.session.id ?? '' }] });
  await clock.advance(60_000);
  assert.deepEqual(client.closed, { code: 3000, reason: 'session ended' });
});
