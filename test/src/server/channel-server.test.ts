import 'reflect-metadata';
import { type DependencyContainer, container as globalContainer } from 'tsyringe';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ChannelHandlers,
  ChannelServer,
  type ChannelServerOptions,
  type ConnectMessage,
  type ReceiveMessage,
  TOKEN_REPOSITORY,
  type TokenGrant,
  type TokenId,
  type TokenRepository,
  tokenIdOf,
  withChannelUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';

const key = (name: string): string => name.repeat(40).slice(0, 40);
const cookies = (name: string) => ({ cookies: { key: key(name) } });

/** Every key is a token; its user is named after it. */
class Tokens implements TokenRepository {
  readonly names = new Map(['ann', 'bob'].map((name) => [tokenIdOf(key(name)), name]));
  findById(id: TokenId): Promise<TokenGrant | undefined> {
    const name = this.names.get(id);
    return Promise.resolve(name === undefined ? undefined : { id, user: { id: name, isAuthenticated: true } });
  }
}

afterEach(() => globalContainer.reset());

describe('channels', () => {
  it('are found by id, user and token while they live', async () => {
    const tokens = new Tokens();
    const channels = new ChannelServer({ connect: withUserFromToken({ tokens })(() => undefined) });
    const [a1, b, a2, nobody] = [
      await connectTo(channels, cookies('ann')),
      await connectTo(channels, cookies('bob')),
      await connectTo(channels, cookies('ann')),
      await connectTo(channels),
    ];
    const live = channels.channels;
    expect(live.size).toBe(4);
    expect([...live]).toEqual([a1.channel, b.channel, a2.channel, nobody.channel]);
    expect(live.get(b.channel.id)).toBe(b.channel);
    expect(live.get('no such id')).toBeUndefined();
    expect(live.ofUser('ann')).toEqual([a1.channel, a2.channel]);
    expect(live.ofToken(tokenIdOf(key('bob')))).toEqual([b.channel]);
    expect(live.ofUser('carol')).toEqual([]);
    await a1.disconnect();
    expect(live.ofUser('ann')).toEqual([a2.channel]);
    await Promise.all([a2, b, nobody].map((client) => client.disconnect()));
    expect(live.size).toBe(0);
    expect([...live]).toEqual([]);
    expect(live.ofUser('ann')).toEqual([]);
    expect(live.ofToken(tokenIdOf(key('bob')))).toEqual([]);
  });

  it('hold neither pending nor refused ones', async () => {
    const sizes: number[] = [];
    const channels = new ChannelServer(
      {
        connect: ({ request }) => {
          sizes.push(channels.channels.size);
          if (request.url === '/no') throw new Error('no');
        },
      },
      { onError: () => undefined },
    );
    await connectTo(channels, { url: '/no' });
    expect(sizes).toEqual([0]);
    expect(channels.channels.size).toBe(0);
  });
});

class Chat {
  readonly log: string[] = [];
  greeting = 'hello';

  connect(message: ConnectMessage): void {
    message.channel.send(this.greeting);
  }

  async receive(message: ReceiveMessage): Promise<void> {
    await Promise.resolve();
    this.log.push(message.text);
  }

  disconnect(): void {
    this.log.push('disconnect');
  }
}

describe('handlers', () => {
  it('of an instance keep their this', async () => {
    const chat = new Chat();
    chat.greeting = 'moin';
    const client = await connectTo(new ChannelServer(chat));
    await client.send('a');
    await client.disconnect();
    expect(client.sent).toEqual(['moin']);
    expect(chat.log).toEqual(['a', 'disconnect']);
  });

  it('of an object keep their this', async () => {
    const handlers = {
      prefix: '> ',
      receive(message: ReceiveMessage): void {
        message.channel.send(this.prefix + message.text);
      },
    };
    const client = await connectTo(new ChannelServer(handlers as ChannelHandlers));
    await client.send('a');
    expect(client.sent).toEqual(['> a']);
  });

  it('of a class are resolved once, from the container of the server or the global one', async () => {
    let made = 0;
    class Counted extends Chat {
      constructor() {
        super();
        made += 1;
      }
    }
    const channels = new ChannelServer(Counted);
    for (let index = 0; index < 3; index += 1) expect((await connectTo(channels)).sent).toEqual(['hello']);
    expect(made).toBe(1);
    const child = globalContainer.createChildContainer();
    const chat = new Counted();
    chat.greeting = 'from the child';
    child.register(Counted, { useValue: chat });
    expect((await connectTo(new ChannelServer(Counted, { container: child }))).sent).toEqual(['from the child']);
  });

  it.each([undefined, null, 5, 'x', {}, { connect: 5 }, { receive: null }, { other: () => undefined }])(
    'throws a TypeError for %o',
    (given) => {
      expect(() => new ChannelServer(given as never)).toThrow(TypeError);
    },
  );
});

describe('dependencies', () => {
  const handlers: ChannelHandlers = {
    connect: withUserFromToken(({ channel, user }) => void channel.send(String(user.id))),
    receive: withChannelUser(({ channel, user }) => void channel.send(String(user.id))),
  };

  const registrations: Readonly<Record<string, (container: DependencyContainer) => unknown>> = {
    useClass: (container) => container.register(TOKEN_REPOSITORY, { useClass: Tokens }),
    useFactory: (container) => container.register(TOKEN_REPOSITORY, { useFactory: () => new Tokens() }),
    useValue: (container) => container.register(TOKEN_REPOSITORY, { useValue: new Tokens() }),
  };

  it.each(Object.entries(registrations))('are found by %s, globally and in a child container', async (_how, register) => {
    const child = globalContainer.createChildContainer();
    register(child);
    expect((await connectTo(new ChannelServer(handlers, { container: child }), cookies('ann'))).sent).toEqual(['ann']);
    expect(() => new ChannelServer(handlers)).toThrow(expect.objectContaining({ code: 'ERR_DEPENDENCY_MISSING' }));
    register(globalContainer);
    const grandchild = globalContainer.createChildContainer().createChildContainer();
    for (const options of [{}, { container: grandchild }]) {
      const client = await connectTo(new ChannelServer(handlers, options), cookies('bob'));
      await client.send('x');
      expect(client.sent).toEqual(['bob', 'bob']);
    }
  });
});

describe('options', () => {
  it.each([
    { nope: 1 },
    { onError: 'log' },
    { onWarning: {} },
    { requireOrigin: 'yes' },
    { trustProxy: 1 },
    { container: {} },
    { clock: { now: () => 0 } },
    { maxBufferedBytes: 0 },
    { maxQueuedBytes: -1 },
    { maxQueuedMessages: 1.5 },
    { session: { ttlMs: 5 } },
    { session: { scope: 'all' } },
  ])('throws a TypeError that names the option: %o', (options) => {
    const [name = ''] = Object.keys(options);
    expect(() => new ChannelServer({ receive: () => undefined }, options as ChannelServerOptions)).toThrow(TypeError);
    expect(() => new ChannelServer({ receive: () => undefined }, options as ChannelServerOptions)).toThrow(name);
  });

  it('are copied: a later change of them changes nothing', async () => {
    const errors: unknown[] = [];
    const options: { onError: (error: unknown) => void } = { onError: (error) => errors.push(error) };
    const channels = new ChannelServer({ receive: () => Promise.reject(new Error('x')) }, options);
    options.onError = () => {
      throw new Error('not this one');
    };
    await (await connectTo(channels)).send('x');
    expect(errors).toHaveLength(1);
  });
});
