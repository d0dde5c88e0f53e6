import { describe, expect, it, vi } from 'vitest';
import {
  anonymousUser,
  ChannelServer,
  dispatchOn,
  fromHttpSession,
  fromToken,
  type HasUser,
  withAuthenticatedUser,
  withChannelUser,
  withUserFrom,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, bob, codesOf, expectProcessToLive, makeSite } from '../support/site.js';

expectProcessToLive();

describe('withChannelUser', () => {
  it('gives on every message whom connect found, without looking anybody up again', async () => {
    const { tokens, lookUps, options } = makeSite();
    const seen: unknown[] = [];
    const note = ({ user }: HasUser): void => void seen.push(user);
    const client = await connectTo(
      { connect: withUserFromToken({ tokens })(note), receive: withChannelUser(note), disconnect: withChannelUser(note) },
      { ...options, cookies: { key: aliceKey } },
    );
    await client.send('a');
    await client.send('b');
    await client.disconnect();
    expect(seen).toEqual([alice, alice, alice, alice]);
    expect(lookUps).toHaveLength(1);
  });

  it.each(['token', 'http-session'])('gives them whichever source it was: %s', async (source) => {
    const { tokens, sessions, users, options } = makeSite();
    const cookies: Record<string, string> = source === 'token' ? { key: aliceKey } : { sessionid: sessions.create('bob') };
    const connect = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))(() => {});
    const receive = withChannelUser((message) => message.channel.sendJson([message.user.id, message.authentication?.source]));
    const readById = vi.spyOn(sessions, 'readById');
    const client = await connectTo({ connect, receive }, { ...options, cookies });
    readById.mockClear();
    await client.send('a');
    expect(client.sentJson).toEqual([[source === 'token' ? 'alice' : 'bob', source]]);
    expect(readById).not.toHaveBeenCalled();
  });

  it('knows them at connect too, inside and outside of the wrapper that finds them', async () => {
    const { tokens, lookUps, options } = makeSite();
    const find = withUserFromToken({ tokens });
    const seen: unknown[] = [];
    const note = ({ user }: HasUser): void => void seen.push(user);
    for (const connect of [withChannelUser(find(note)), find(withChannelUser(note))]) {
      await connectTo({ connect }, { ...options, cookies: { key: aliceKey } });
    }
    expect(seen).toEqual([alice, alice]);
    expect(lookUps).toHaveLength(2);
  });

  it('gives the anonymous user, one and the same, where nobody was identified; no dependency is needed for it', async () => {
    const seen: unknown[] = [];
    const note = withChannelUser((message) => void seen.push(message.user, message.authentication));
    const client = await connectTo(new ChannelServer({ connect: note, receive: note, disconnect: note }));
    await client.send('a');
    await client.disconnect();
    expect(seen).toEqual([anonymousUser, undefined, anonymousUser, undefined, anonymousUser, undefined]);
    expect(seen[0]).toBe(anonymousUser);
  });

  it('keeps channels apart', async () => {
    const { tokens, options } = makeSite();
    const server = new ChannelServer(
      {
        connect: withUserFromToken({ tokens })(() => {}),
        receive: dispatchOn('command', { who: withChannelUser((message) => message.channel.sendJson(message.user.id)) }),
      },
      options,
    );
    const [one, two, three] = [
      await connectTo(server, { cookies: { key: aliceKey } }),
      await connectTo(server, { cookies: { key: '00112233445566778899aabbccddeeff00112233' } }),
      await connectTo(server),
    ];
    await Promise.all([one, two, three].map((client) => client.sendJson({ command: 'who' })));
    expect([one.sentJson, two.sentJson, three.sentJson]).toEqual([['alice'], ['bob'], [null]]);
    expect(two.user).toBe(bob);
  });

  it('gives no user who has been deleted since to a new channel', async () => {
    const { tokens, users, options, errors } = makeSite();
    users.delete('alice');
    const reached = vi.fn();
    const handlers = { connect: withUserFromToken({ tokens })(() => {}), receive: withChannelUser(withAuthenticatedUser(reached)) };
    const client = await connectTo(handlers, { ...options, cookies: { key: aliceKey } });
    await client.send('a');
    expect(client.closed?.code).toBe(3000);
    expect(reached).not.toHaveBeenCalled();
    expect(codesOf(errors)).toEqual([]);
  });
});
