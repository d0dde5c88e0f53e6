import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chat, rooms, server } from '../src/two-servers.js';
import { connect, refusal, tokenCookie } from './support/client.js';

after(() => Promise.all([chat.close(), rooms.close()]));

test('each path of one port has its own server', async () => {
  assert.equal(await (await connect(server, '/ticker')).next(), 'tick');
  assert.deepEqual(await (await connect(server, '/chat', tokenCookie)).nextJson(), { hello: 'ada' });
  assert.deepEqual(await (await connect(server, '/rooms/attic')).nextJson(), { room: 'attic' });
});

test('a refusal of one is none of another', async () => {
  assert.equal(await refusal(server, '/chat'), 401);
  assert.equal(await (await connect(server, '/ticker')).next(), 'tick');
});
