import { describe, expect, it } from 'vitest';
import { type Channel, ChannelServer, container, GROUPS, Groups, withUserFromToken } from '../../../entries/index.js';
import { MemoryBroadcaster, MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import type { Broadcaster } from '../../../src/contracts/broadcaster.js';
import { thrownBy } from '../../support/site.js';
import { chat } from './chat.js';

describe('groups of one process', () => {
  it('send to each member once, strings as text, bytes as binary and values as JSON', async () => {
    const groups = new Groups();
    const server = chat(groups);
    const clients = [await connectTo(server), await connectTo(server)];
    await clients[0]?.send('lobby');
    expect(groups.send('lobby', 'hello')).toBe(2);
    expect(groups.send('lobby', Uint8Array.of(1, 2))).toBe(2);
    expect(groups.send('lobby', new DataView(Uint8Array.of(1, 2, 3).buffer, 1) as unknown as Uint8Array)).toBe(2);
    expect(groups.sendJson('lobby', { a: 1 })).toBe(2);
    for (const client of clients) expect(client.sent).toEqual(['hello', Uint8Array.of(1, 2), Uint8Array.of(2, 3), '{"a":1}']);
  });

  it('leave out whom the sender excepts: one channel, or several', async () => {
    const groups = new Groups();
    const server = chat(groups);
    const [ann, bob, eve] = [await connectTo(server), await connectTo(server), await connectTo(server)];
    expect(groups.send('lobby', 'one', { except: ann.channel })).toBe(2);
    expect(groups.sendJson('lobby', 'two', { except: [ann.channel, bob.channel] })).toBe(1);
    expect([ann.sent, bob.sent, eve.sent]).toEqual([[], ['one'], ['one', '"two"']]);
  });

  it('know their members, in the order in which they came, and the groups of a channel', async () => {
    const groups = new Groups();
    const server = chat(groups);
    const [ann, bob] = [await connectTo(server), await connectTo(server)];
    await ann.send('music');
    expect(groups.membersOf('lobby')).toEqual([ann.channel, bob.channel]);
    expect(groups.groupsOf(ann.channel)).toEqual(['lobby', 'music']);
    expect([groups.sizeOf('lobby'), groups.sizeOf('music'), groups.sizeOf('nowhere')]).toEqual([2, 1, 0]);
    expect(groups.discard('music', ann.channel)).toBe(true);
    expect(groups.discard('music', ann.channel)).toBe(false);
    expect([groups.groupsOf(ann.channel), groups.membersOf('music')]).toEqual([['lobby'], []]);
  });

  it('hold what is sent to a member that is connecting until its handshake is answered', async () => {
    const groups = new Groups();
    const server = new ChannelServer({
      connect: ({ channel }) => {
        groups.add('lobby', channel);
        groups.send('lobby', 'early');
      },
    });
    expect((await connectTo(server)).sent).toEqual(['early']);
  });

  it('lose a channel as soon as it begins to end, and take it no more', async () => {
    const groups = new Groups();
    const server = chat(groups);
    const client = await connectTo(server);
    const { channel } = client;
    await client.send('music');
    channel.close();
    expect([groups.membersOf('lobby'), groups.groupsOf(channel), groups.sizeOf('music')]).toEqual([[], [], 0]);
    expect(groups.add('lobby', channel)).toBe(false);
    expect(groups.send('lobby', 'late')).toBe(0);
  });

  it('lose a channel whose connect is refused', async () => {
    const groups = new Groups();
    const server = new ChannelServer(
      {
        connect({ channel }) {
          groups.add('lobby', channel);
          throw new Error('no');
        },
      },
      { onError: () => undefined },
    );
    await connectTo(server);
    expect(groups.sizeOf('lobby')).toBe(0);
  });

  it('send nothing to a member whose token was revoked', async () => {
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]);
    const tokens = new MemoryTokenRepository({ users });
    const { key, id } = await tokens.issue('ann');
    const groups = new Groups();
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(({ channel }) => void groups.add('lobby', channel)) });
    const client = await connectTo(server, { cookies: { key } });
    expect(groups.send('lobby', 'before')).toBe(1);
    await tokens.revoke(id);
    expect(groups.send('lobby', 'after')).toBe(0);
    expect(client.sent).toEqual(['before']);
  });

  it('go on where a member fails, and tell of its error', () => {
    const errors: unknown[] = [];
    const groups = new Groups({ onError: (error) => errors.push(error) });
    const failure = new Error('no way out');
    const member = (send: () => boolean): Channel => ({ signal: new AbortController().signal, send }) as unknown as Channel;
    groups.add(
      'lobby',
      member(() => {
        throw failure;
      }),
    );
    groups.add(
      'lobby',
      member(() => true),
    );
    expect(groups.send('lobby', 'hello')).toBe(1);
    expect(errors).toEqual([failure]);
  });

  it('may be left and joined while they are sent to', () => {
    const groups = new Groups();
    const members = Array.from({ length: 3 }, (): Channel => {
      const channel = {
        signal: new AbortController().signal,
        send() {
          groups.discard('lobby', channel as unknown as Channel);
          groups.add('lobby', channel as unknown as Channel);
          return true;
        },
      };
      return channel as unknown as Channel;
    });
    for (const member of members) groups.add('lobby', member);
    expect(groups.send('lobby', 'hello')).toBe(3);
    expect(groups.sizeOf('lobby')).toBe(3);
  });

  it.each([
    ['no string', 7],
    ['empty', ''],
    ['longer than 512 bytes', 'é'.repeat(257)],
    ['reserved', '\u0000mine'],
    ['half of a pair', 'a\ud800'],
  ])('refuse a name that is %s', (_, name) => {
    const groups = new Groups({ presence: true });
    const uses: Readonly<Record<string, () => unknown>> = {
      add: () => groups.add(name as string, {} as Channel),
      discard: () => groups.discard(name as string, {} as Channel),
      send: () => groups.send(name as string, 'x'),
      sendJson: () => groups.sendJson(name as string, 'x'),
      membersOf: () => groups.membersOf(name as string),
      sizeOf: () => groups.sizeOf(name as string),
      presenceOf: () => groups.presenceOf(name as string),
    };
    for (const [method, use] of Object.entries(uses)) {
      const error = thrownBy(use);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(new RegExp(`^Groups\\.${method}: name `));
    }
  });

  it('take names of up to 512 bytes of UTF-8', () => {
    const groups = new Groups();
    for (const name of ['é'.repeat(256), 'x'.repeat(512), '__proto__', 'a b\n']) expect(groups.sizeOf(name)).toBe(0);
  });

  it('refuse what is no channel, no data, no exception and no option', async () => {
    const groups = new Groups();
    expect(() => groups.add('lobby', {} as Channel)).toThrow(TypeError);
    expect(() => groups.discard('lobby', undefined as unknown as Channel)).toThrow(TypeError);
    expect(() => groups.groupsOf(null as unknown as Channel)).toThrow(TypeError);
    expect(() => groups.send('lobby', 7 as unknown as string)).toThrow(TypeError);
    expect(() => groups.sendJson('lobby', undefined)).toThrow(TypeError);
    expect(() => groups.send('lobby', 'x', { except: 'ann' as unknown as Channel })).toThrow(TypeError);
    expect(() => groups.send('lobby', 'x', { exept: [] } as object)).toThrow(TypeError);
    expect(() => new Groups({ broadcaster: {} as Broadcaster })).toThrow(TypeError);
    const none = (): undefined => undefined;
    for (const state of [{ status: 'ready' }, { isOpen: false }]) {
      const client = { publish: none, subscribe: none, duplicate: none, ...state } as unknown as Broadcaster;
      expect(() => new Groups({ broadcaster: client })).toThrow(/new RedisBroadcaster\(client\)/);
    }
    for (const member of [{ status: 'ready' }, { isOpen: true }, { duplicate: none }]) {
      const own = { publish: none, subscribe: none, ...member } as unknown as Broadcaster; // it has one member in common with them
      expect(() => new Groups({ broadcaster: own })).not.toThrow();
    }
    expect(() => new Groups({ onPresence: () => undefined })).toThrow(TypeError);
    expect(() => groups.presenceOf('lobby')).toThrow(TypeError);
  });

  it('refuse a socket where a channel belongs', async () => {
    const groups = new Groups();
    const { channel } = await connectTo(chat(groups));
    const { socket } = channel;
    expect(socket).toBeDefined();
    expect(() => groups.add('lobby', socket as unknown as Channel)).toThrow(TypeError);
    expect(() => groups.send('lobby', 'x', { except: socket as unknown as Channel })).toThrow(TypeError);
    expect(() => groups.send('lobby', 'x', { except: [channel, socket as unknown as Channel] })).toThrow(TypeError);
    expect(groups.membersOf('lobby')).toEqual([channel]);
  });

  it('have no members left where all channels have gone, however many there were', async () => {
    const groups = new Groups();
    const server = chat(groups);
    for (let round = 0; round < 50; round += 1) {
      const client = await connectTo(server);
      await client.send(`room ${round}`);
      await client.disconnect();
    }
    expect(groups.sizeOf('lobby')).toBe(0);
    expect(groups.sizeOf('room 7')).toBe(0);
  });

  it('take and send nothing once they are closed, and close no channel', async () => {
    const groups = new Groups();
    const server = chat(groups);
    const { channel, closed } = await connectTo(server);
    await groups.close();
    await groups.close();
    expect([groups.sizeOf('lobby'), groups.add('lobby', channel), groups.send('lobby', 'late'), closed]).toEqual([0, false, 0, undefined]);
  });

  it('are closed at the end of the block that uses them', async () => {
    const left = new Groups();
    {
      await using groups = left;
      await connectTo(chat(groups));
      expect(groups.sizeOf('lobby')).toBe(1);
    }
    expect(left.sizeOf('lobby')).toBe(0);
  });

  it('are found in the container', () => {
    const groups = new Groups();
    const own = container.createChildContainer();
    own.registerInstance(GROUPS, groups);
    expect(own.resolve(GROUPS)).toBe(groups);
  });
});

describe('groups of several processes', () => {
  it('reach the members of the others, once, and their own without the broadcaster', async () => {
    const first = new MemoryBroadcaster();
    const [one, two] = [new Groups({ broadcaster: first }), new Groups({ broadcaster: new MemoryBroadcaster({ joins: first }) })];
    await Promise.all([one.ready, two.ready]);
    const [ann, bob] = [await connectTo(chat(one)), await connectTo(chat(two))];
    expect(one.send('lobby', 'hello', { except: ann.channel })).toBe(0);
    expect(two.send('lobby', Uint8Array.of(7))).toBe(1);
    expect([ann.sent, bob.sent]).toEqual([[Uint8Array.of(7)], ['hello', Uint8Array.of(7)]]);
    await one.close();
    two.send('lobby', 'alone');
    one.send('lobby', 'too late');
    expect([ann.sent.length, bob.sent.at(-1)]).toEqual([1, 'alone']);
    await two.close();
  });

  it('hear of a gap, and go on where hearing of it fails', async () => {
    const errors: unknown[] = [];
    let tellGap: () => void = () => undefined;
    const broadcaster: Broadcaster = {
      publish: async () => undefined,
      async subscribe(_, onGap) {
        tellGap = onGap;
        return { [Symbol.asyncDispose]: async () => undefined };
      },
    };
    const failure = new Error('not now');
    const groups = new Groups({
      broadcaster,
      onError: (error) => errors.push(error),
      onGap() {
        throw failure;
      },
    });
    await groups.ready;
    tellGap();
    expect(errors).toEqual([failure]);
    await groups.close();
    tellGap();
    expect(errors).toHaveLength(1);
  });

  it('send to their own members while the broadcaster fails, tell of that once, and again after it had recovered', async () => {
    const warnings: string[] = [];
    let isBroken = true;
    const broadcaster: Broadcaster = {
      publish: () => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve()),
      subscribe: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
    };
    const groups = new Groups({ broadcaster, onWarning: ({ code }) => warnings.push(code) });
    await connectTo(chat(groups));
    const send = async (): Promise<void> => {
      expect(groups.send('lobby', 'hello')).toBe(1);
      await new Promise(setImmediate);
    };
    await send();
    await send();
    isBroken = false;
    await send();
    isBroken = true;
    await send();
    expect(warnings).toEqual(['ERR_BROADCAST_FAILED', 'ERR_BROADCAST_FAILED']);
    await groups.close();
  });

  it('subscribe again, with growing pauses, where they cannot at first, and then tell of a gap', async () => {
    const clock = new TestClock();
    const warnings: string[] = [];
    let attempts = 0;
    let gaps = 0;
    const broadcaster: Broadcaster = {
      publish: async () => undefined,
      async subscribe() {
        attempts += 1;
        if (attempts < 3) throw new Error('not there');
        return { [Symbol.asyncDispose]: async () => undefined };
      },
    };
    const groups = new Groups({ broadcaster, clock, onWarning: ({ code }) => warnings.push(code), onGap: () => (gaps += 1) });
    await clock.advance(1_000);
    expect([attempts, gaps]).toEqual([2, 0]);
    await clock.advance(1_999);
    expect(attempts).toBe(2);
    await clock.advance(1);
    await groups.ready;
    expect([attempts, gaps, warnings.length]).toEqual([3, 1, 2]);
    await groups.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
