import { expect, it } from 'vitest';
import { ChannelServer, tokenIdOf, withUserFromHttp, withUserFromToken } from '../../../entries/index.js';
import { MemoryHttpSessionReader } from '../../../entries/memory.js';
import { connectTo } from '../../../entries/testing.js';
import { makeSite } from '../../support/site.js';
import { expired, inactive, revoked, sessionEnded } from './watched.js';

async function served() {
  const site = makeSite();
  const { tokens, users, clock, options } = site;
  const server = new ChannelServer({ connect: withUserFromToken({ tokens })(() => undefined) }, options);
  const { key, id } = await tokens.issue('alice', { ttlMs: 600_000 });
  return { tokens, users, clock, server, id, key, client: await connectTo(server, { cookies: { key } }) };
}

it('a channel goes over to the token into which its own was rotated, and ends with that', async () => {
  const { tokens, clock, client, id, server } = await served();
  const next = await tokens.rotate(id, { graceMs: 5_000, ttlMs: 60_000 });
  await clock.advance(30_000);
  expect(client.channel.tokenId).toBe(tokenIdOf(next?.key ?? ''));
  expect(client.closed).toBeUndefined();
  await clock.advance(31_000);
  expect(client.closed).toEqual(expired);
  await server.close();
});

it('a channel whose rotated token is used after its grace ends, since the key is in two hands', async () => {
  const { tokens, clock, client, id, key, server } = await served();
  await tokens.rotate(id, { graceMs: 5_000 });
  await clock.advance(10_000);
  await connectTo(server, { cookies: { key } });
  expect(client.closed).toEqual(revoked);
  await server.close();
});

it('a channel whose token is extended lives on', async () => {
  const { tokens, clock, client, id, server } = await served();
  await clock.advance(590_000);
  await tokens.extend(id, { ttlMs: 600_000 });
  await clock.advance(599_000);
  expect(client.closed).toBeUndefined();
  await clock.advance(2_000);
  expect(client.closed).toEqual(expired);
  await server.close();
});

it.each([99, 50, 1])('a channel whose token is extended %i ms before its end lives on, and knows its new end at once', async (leftMs) => {
  const { tokens, clock, client, id, server } = await served();
  await clock.advance(600_000 - leftMs);
  const expiresAt = await tokens.extend(id, { ttlMs: 600_000 });
  await clock.advance(leftMs / 2);
  expect(client.authentication?.expiresAt).toEqual(expiresAt);
  await clock.advance(599_000);
  expect(client.closed).toBeUndefined();
  await clock.advance(2_000);
  expect(client.closed).toEqual(expired);
  await server.close();
});

it('what is ended through the adapters of this process ends its channels at once', async () => {
  const [one, all, user] = [await served(), await served(), await served()];
  await one.tokens.revoke(one.id);
  await all.tokens.revokeAllOf('alice');
  user.users.delete('alice');
  expect([one, all, user].map(({ client }) => client.closed)).toEqual([revoked, revoked, inactive]);
  const { users, options } = makeSite();
  const sessions = new MemoryHttpSessionReader();
  const server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => undefined) }, options);
  const id = sessions.create('alice');
  const client = await connectTo(server, { cookies: { sessionid: id } });
  sessions.destroy(id);
  expect(client.closed).toEqual(sessionEnded);
  for (const { server: each } of [one, all, user, { server }]) await each.close();
});
