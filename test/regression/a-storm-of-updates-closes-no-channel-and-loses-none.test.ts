import { expect, it } from 'vitest';
import { ChannelServer, type SessionScope, type SessionStore, withChannelUser, withUserFromToken } from '../../entries/index.js';
import { MemorySessionStore } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { countingStore } from '../support/counting-store.js';
import { oneToken } from '../support/serving.js';
import { codesOf } from '../support/site.js';

const channelCount = 200;
const updatesOfEach = 5;

type Tokens = Awaited<ReturnType<typeof oneToken>>['tokens'];

function serve(tokens: Tokens, store: SessionStore, scope: SessionScope, errors: unknown[]): ChannelServer {
  return new ChannelServer(
    {
      connect: withUserFromToken({ tokens })(() => undefined),
      receive: withChannelUser((message) => message.channelSession.update('count', (count) => Number(count ?? 0) + 1)),
    },
    { session: { store, scope }, onError: (error) => errors.push(error) },
  );
}

it.each<[SessionScope, number]>([
  ['user', 1],
  ['client', 1],
  ['user', 2],
  ['client', 2],
  ['user', 5],
])(
  '200 channels of one %s on %i servers, five updates each: none closed, none lost, and at most 1.5 operations an update',
  async (scope, serverCount) => {
    const { tokens, key } = await oneToken();
    const errors: unknown[] = [];
    const { store, operations } = countingStore(new MemorySessionStore());
    const servers = Array.from({ length: serverCount }, () => serve(tokens, store, scope, errors));
    const serverOf = (index: number): ChannelServer => servers[index % serverCount] as ChannelServer;
    const clients = await Promise.all(Array.from({ length: channelCount }, (_, index) => connectTo(serverOf(index), { cookies: { key } })));
    operations();
    await Promise.all(clients.flatMap((client) => Array.from({ length: updatesOfEach }, () => client.send('one more'))));
    const asked = operations().length;
    expect(codesOf(errors)).toEqual([]);
    expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([]);
    const later = await connectTo(serverOf(0), { cookies: { key } });
    expect(later.channelSession.get('count')).toBe(channelCount * updatesOfEach);
    expect(asked / (channelCount * updatesOfEach)).toBeLessThanOrEqual(1.5);
  },
);
