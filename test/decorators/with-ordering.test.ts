import { describe, expect, it } from 'vitest';
import {
  type BaseMessage,
  ChannelServer,
  type ChannelSession,
  compose,
  defineWrapper,
  dispatchOn,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
  withChannelSession,
  withOrdering,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { deferred } from '../support/deferred.js';
import { nextTurn } from '../support/serving.js';

const withDelay = defineWrapper('withDelay', async (_message, next) => {
  await nextTurn();
  return await next();
});

/** Handlers that log when they start and end, and wait for the test in between. */
function stage(): {
  readonly log: string[];
  readonly run: (name: string) => Promise<void>;
  readonly release: (name: string) => void;
} {
  const log: string[] = [];
  const all = new Map<string, ReturnType<typeof deferred<void>>>();
  const gate = (name: string): ReturnType<typeof deferred<void>> => {
    const known = all.get(name) ?? deferred();
    all.set(name, known);
    return known;
  };
  const run = async (name: string): Promise<void> => {
    log.push(`+${name}`);
    await gate(name).promise;
    log.push(`-${name}`);
  };
  return { log, run, release: (name) => gate(name).resolve() };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

describe('withOrdering', () => {
  it.each([1, 2, 8])('runs its handler alone, in order, whatever the concurrency (%i)', async (concurrency) => {
    const { log, run, release } = stage();
    const client = await connectTo({ receive: withOrdering(({ text }: ReceiveMessage) => run(text)) }, { concurrency });
    const handled = ['a', 'b', 'c'].map((text) => client.send(text));
    for (const text of ['c', 'b', 'a']) {
      release(text);
      await settle();
    }
    await Promise.all(handled);
    expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
  });

  it.each([1, 2, 8])('runs its handler alone under wrappers that wait (concurrency %i)', async (concurrency) => {
    const { log, run, release } = stage();
    const receive = compose(withDelay, withOrdering, withDelay)(({ text }: ReceiveMessage) => run(text));
    const client = await connectTo({ receive }, { concurrency });
    const handled = ['a', 'b', 'c'].map((text) => client.send(text));
    await settle();
    expect(log).toEqual(['+a']);
    for (const text of ['a', 'b', 'c']) release(text);
    await Promise.all(handled);
    expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
  });

  it('ends the channel where its handler throws, and stalls nothing', async () => {
    const log: string[] = [];
    const receive = withOrdering(async () => {
      await nextTurn();
      throw new TypeError('failed');
    });
    const client = await connectTo(
      { receive, disconnect: ({ code }) => void log.push(`disconnect ${code}`) },
      { concurrency: 4, onError: (error) => log.push((error as Error).message) },
    );
    await Promise.all([client.send('a'), client.send('b')]);
    expect(log).toEqual(['failed', 'disconnect 1011']);
  });
});

describe('withOrdering on parts of dispatchOn', () => {
  const asked = ({ body }: HasBody): string => (body as { id: string }).id;

  function server(
    wrap: (handler: (message: ReceiveMessage) => unknown) => (message: ReceiveMessage) => unknown = (handler) => handler,
    concurrency = 4,
  ) {
    const staged = stage();
    const receive = wrap(
      dispatchOn('do', {
        free: (message) => staged.run(asked(message)),
        alone: withOrdering((message: ReceiveMessage & HasBody) => staged.run(asked(message))),
      }),
    );
    return { ...staged, channels: new ChannelServer({ receive }, { concurrency, onError: () => undefined }) };
  }

  it('lets the ordered part wait for the one before it where no more than two run', async () => {
    const { channels, log, release } = server(undefined, 2);
    const client = await connectTo(channels);
    const handled = ['free', 'alone', 'free'].map((command, index) => client.sendJson({ do: command, id: String(index) }));
    await settle();
    expect(log).toEqual(['+0']);
    for (const id of ['2', '0', '1']) {
      release(id);
      await settle();
    }
    await Promise.all(handled);
    expect(log).toEqual(['+0', '-0', '+1', '-1', '+2', '-2']);
  });

  it.each([
    ['bare', undefined],
    ['under a wrapper that waits', (handler: (message: ReceiveMessage) => unknown) => withDelay(handler)],
    ['under a session', (handler: (message: ReceiveMessage) => unknown) => withChannelSession(handler)],
  ])('lets the ordered part wait for earlier messages and later ones wait for it (%s)', async (_how, wrap) => {
    const { channels, log, release } = server(wrap);
    const client = await connectTo(channels);
    const send = (command: string, id: string): Promise<void> => client.sendJson({ do: command, id });
    const handled = [send('free', 'f1'), send('free', 'f2'), send('alone', 'a1'), send('alone', 'a2'), send('free', 'f3')];
    await settle();
    expect(log).toEqual(['+f1', '+f2']);
    release('f2');
    await settle();
    expect(log).toEqual(['+f1', '+f2', '-f2']);
    release('f1');
    await settle();
    expect(log.slice(3)).toEqual(['-f1', '+a1']);
    release('a1');
    await settle();
    expect(log.slice(5)).toEqual(['-a1', '+a2']);
    release('f3');
    await settle();
    expect(log.slice(7)).toEqual([]);
    release('a2');
    await Promise.all(handled);
    expect(log.slice(7)).toEqual(['-a2', '+f3', '-f3']);
  });

  it.each([
    ['from the beginning', false],
    ['after an ordered one', true],
  ])('runs the others at once, %s', async (_when, isLater) => {
    const { channels, log, release } = server();
    const client = await connectTo(channels);
    if (isLater) {
      release('ordered');
      await client.sendJson({ do: 'alone', id: 'ordered' });
      log.length = 0;
    }
    const handled = ['1', '2', '3', '4', '5'].map((id) => client.sendJson({ do: 'free', id }));
    await settle();
    expect(log).toEqual(['+1', '+2', '+3', '+4']);
    for (const id of ['1', '2', '3', '4', '5']) release(id);
    await Promise.all(handled);
    expect(log).toHaveLength(10);
  });

  it('runs all of them at once where none is ordered', async () => {
    const { log, run, release } = stage();
    const client = await connectTo({ receive: dispatchOn('do', { free: (message) => run(asked(message)) }) }, { concurrency: 4 });
    const handled = ['1', '2', '3'].map((id) => client.sendJson({ do: 'free', id }));
    await settle();
    expect(log).toEqual(['+1', '+2', '+3']);
    for (const id of ['1', '2', '3']) release(id);
    await Promise.all(handled);
  });

  it('starts the only one that waits as soon as the one before it is known to be no ordered one', async () => {
    const { channels, log, release } = server((handler) => withDelay(handler));
    const client = await connectTo(channels);
    const handled = ['1', '2'].map((id) => client.sendJson({ do: 'free', id }));
    await settle();
    expect(log).toEqual(['+1', '+2']);
    for (const id of ['1', '2']) release(id);
    await Promise.all(handled);
  });

  it('lets an unknown command and text that is no JSON pass by without holding anything up', async () => {
    const { channels, log, release } = server();
    const client = await connectTo(channels);
    const handled = [client.sendJson({ do: 'nothing' }), client.send('{'), client.sendJson({ do: 'alone', id: 'a' })];
    release('a');
    await Promise.all(handled);
    expect(log).toEqual(['+a', '-a']);
    expect(client.sentJson).toEqual([{ error: 'unknown_command' }, { error: 'invalid_json' }]);
  });

  it('does not run an ordered message that still waits when the channel ends by a throw', async () => {
    const log: string[] = [];
    const failing = deferred();
    const client = await connectTo(
      {
        receive: dispatchOn('do', {
          free: () => failing.promise,
          alone: withOrdering(() => void log.push('alone')),
        }),
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { concurrency: 4, onError: (error) => log.push((error as Error).message) },
    );
    const handled = [client.sendJson({ do: 'free' }), client.sendJson({ do: 'alone' }), client.sendJson({ do: 'alone' })];
    await settle();
    failing.reject(new Error('free failed'));
    await Promise.all(handled);
    expect(log).toEqual(['free failed', 'disconnect 1011']);
  });
});

describe('withOrdering in a function of one’s own, which the server cannot see', () => {
  it('goes by the order in which messages came, not by that in which they asked for their turn', async () => {
    const log: string[] = [];
    const ordered = withOrdering(({ text }: ReceiveMessage) => void log.push(text));
    const ready = new Map(['a', 'b', 'c'].map((text) => [text, deferred()]));
    const receive = async (message: ReceiveMessage): Promise<void> => {
      await ready.get(message.text)?.promise;
      await ordered(message);
    };
    const client = await connectTo({ receive }, { concurrency: 3 });
    const handled = ['a', 'b', 'c'].map((text) => client.send(text));
    for (const text of ['c', 'a', 'b']) {
      ready.get(text)?.resolve();
      await settle();
    }
    await Promise.all(handled);
    expect(log).toEqual(['a', 'b', 'c']);
  });
});

describe('withOrdering and sessions', () => {
  const count = (session: ChannelSession): number => (session.get('count') as number | undefined) ?? 0;

  it.each(['outside', 'inside'])('sees what earlier messages saved, with withChannelSession %s of it', async (place) => {
    const handler = async ({ channelSession }: HasChannelSession): Promise<void> => {
      const before = count(channelSession);
      await nextTurn();
      channelSession.set('count', before + 1);
    };
    const alone = place === 'outside' ? withChannelSession(withOrdering(handler)) : withOrdering(withChannelSession(handler));
    const free = withChannelSession(async ({ channelSession }: HasChannelSession) => {
      await settle();
      channelSession.update('count', (value) => ((value as number | undefined) ?? 0) + 100);
    });
    const errors: unknown[] = [];
    const client = await connectTo(
      { receive: dispatchOn('do', { free, alone }) },
      { concurrency: 8, onError: (error) => errors.push(error) },
    );
    await Promise.all(['free', 'alone', 'alone', 'free', 'alone'].map((command) => client.sendJson({ do: command })));
    expect(errors).toEqual([]);
    expect(count(client.channelSession)).toBe(203);
  });

  it.each([0, 1, 2])(
    'keeps what a wrapper outside of it has changed before its turn came (%i keys), and else sees the newest',
    async (keys) => {
      const before = defineWrapper('before', ({ channelSession }: BaseMessage & HasChannelSession, next) => {
        count(channelSession);
        for (let key = 0; key < keys; key += 1) channelSession.set(`changed ${key}`, true);
        return next();
      });
      const seen: number[] = [];
      const alone = compose(withChannelSession, before, withOrdering)(({ channelSession }) => void seen.push(count(channelSession)));
      const free = withChannelSession(async ({ channelSession }: HasChannelSession) => {
        await settle();
        channelSession.set('count', 7);
      });
      const client = await connectTo({ receive: dispatchOn('do', { free, alone }) }, { concurrency: 2 });
      await Promise.all(['free', 'alone'].map((command) => client.sendJson({ do: command })));
      expect(seen).toEqual([keys === 0 ? 7 : 0]);
      for (let key = 0; key < 2; key += 1) expect(client.channelSession.has(`changed ${key}`)).toBe(key < keys);
      expect(count(client.channelSession)).toBe(7);
    },
  );
});

describe('withOrdering elsewhere', () => {
  it('lets connect and disconnect pass, which run alone anyway', async () => {
    const log: string[] = [];
    const client = await connectTo({
      connect: withOrdering(() => void log.push('connect')),
      disconnect: withOrdering(() => void log.push('disconnect')),
    });
    await client.disconnect();
    expect(log).toEqual(['connect', 'disconnect']);
  });

  it('takes no options', () => {
    expect(() => (withOrdering as (options: object) => unknown)({ every: 2 })).toThrow(TypeError);
  });
});
