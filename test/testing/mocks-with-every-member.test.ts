import { expect, it, vi } from 'vitest';
import {
  type Channel,
  type Clock,
  Groups,
  type HttpSessionReader,
  type TokenRepository,
  tokenIdOf,
  type UserRepository,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
const ada = { id: 'ada', isAuthenticated: true } as const;

/** As vitest-mock-extended and others make them: whichever member is read is a function, the same one each time. */
function mockOf<Mocked extends object>(members: Partial<Mocked>): Mocked {
  const made = new Map<string | symbol, unknown>(Object.entries(members));
  return new Proxy(Object.create(null) as Mocked, {
    has: (_target, name) => name !== 'then',
    get: (_target, name) => {
      if (name === 'then') return undefined;
      if (!made.has(name)) made.set(name, vi.fn());
      return made.get(name);
    },
  });
}

it('repositories of which a test mocks one method are asked, and taken for no feed of revocations', async () => {
  const [onError, onWarning] = [vi.fn(), vi.fn()];
  const tokens = mockOf<TokenRepository>({ findById: async (id) => ({ id, user: ada }) });
  const byToken = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { cookies: { key }, onError, onWarning });
  const sessions = mockOf<HttpSessionReader>({ read: async () => ({ id: 's', userId: 'ada', data: {}, save: async () => {} }) });
  const users = mockOf<UserRepository>({ findById: async () => ada });
  const byHttp = await connectTo({ connect: withUserFromHttp({ sessions, users })(() => {}) }, { onError, onWarning });
  expect([byToken.user, byToken.channel.tokenId, byHttp.user]).toEqual([ada, tokenIdOf(key), ada]);
  expect([onError.mock.calls, onWarning.mock.calls]).toEqual([[], []]);
});

it('a repository whose member `revocations` is null, or a method of its own, has no feed', async () => {
  const onWarning = vi.fn();
  for (const revocations of [null, () => []]) {
    const tokens = { findById: async () => ({ id: tokenIdOf(key), user: ada }), revocations } as never;
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { cookies: { key }, onWarning });
    expect(client.user).toBe(ada);
  }
  expect(onWarning).not.toHaveBeenCalled();
});

it('a channel that is a mock can be a member of a group', () => {
  const groups = new Groups();
  const channel = mockOf<Channel>({ id: 'mocked' });
  groups.add('room', channel);
  groups.send('room', 'hi');
  expect(channel.send).toHaveBeenCalledExactlyOnceWith('hi');
  groups.discard('room', channel);
  expect(groups.sizeOf('room')).toBe(0);
});

it('a clock that gives nothing to cancel with is named in the error', async () => {
  const onError = vi.fn();
  const clock = mockOf<Clock>({ now: () => 0, monotonic: () => 0 });
  const client = await connectTo({ connect: () => new Promise((resolve) => setImmediate(resolve)) }, { clock, onError });
  await client.disconnect();
  expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining('clock: setTimer') }), undefined);
});
