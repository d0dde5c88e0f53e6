import { jest } from '@jest/globals';
import { tokenIdOf, withUserFromToken } from 'ws-with';
import { connectTo } from 'ws-with/testing';

const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';

test('greets the user of the token', async () => {
  const tokens = { findById: jest.fn(async () => ({ id: tokenIdOf(key), user: { id: 'ada', isAuthenticated: true } })) };
  const connect = withUserFromToken({ tokens })((message) => message.channel.sendJson({ hello: message.user.id }));
  const client = await connectTo({ connect }, { cookies: { key } });
  expect(client.sentJson).toEqual([{ hello: 'ada' }]);
  expect(tokens.findById).toHaveBeenCalledWith(tokenIdOf(key));
});
