import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  anonymousUser,
  type BaseMessage,
  ClientError,
  compose,
  DenyConnection,
  defineWrapper,
  type HasChannelSession,
  type HasUser,
  type ReceiveMessage,
  whenSettled,
  withChannelSession,
  withClientErrors,
  withOrdering,
  withRequestId,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { requirementsOf } from '../../../src/wrapping/requirements.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

const cookies = { key: aliceKey };
const withRoom = defineWrapper('withRoom', (_message: BaseMessage, next) => next({ room: 'hall' }));

describe('a wrapper of an application, on the real runtime', () => {
  it('adds to the message, of every kind', async () => {
    const seen: unknown[] = [];
    const note = withRoom((message: BaseMessage & { room: string }) => void seen.push(message.kind, message.room));
    const client = await connectTo({ connect: note, receive: note, disconnect: note }, makeSite().options);
    await client.send('x');
    await client.disconnect();
    expect(seen).toEqual(['connect', 'hall', 'receive', 'hall', 'disconnect', 'hall']);
  });

  it('refuses by a throw before next: the handler is not called', async () => {
    const handler = vi.fn();
    for (const refuse of [
      defineWrapper('withRefusal', (_message: BaseMessage, next) => {
        if (handler.length >= 0) throw new DenyConnection({ status: 429 });
        return next();
      }),
      defineWrapper('withLateRefusal', async (_message: BaseMessage, next) => {
        await Promise.resolve();
        if (handler.length >= 0) throw new DenyConnection({ status: 429 });
        return next();
      }),
    ]) {
      const { options, errors } = makeSite();
      expect((await connectTo({ connect: refuse(handler) }, options)).refusal).toEqual({ status: 429 });
      expect(errors).toEqual([]);
    }
    expect(handler).not.toHaveBeenCalled();
  });

  it('may wait, and the message’s changes are saved after all of it', async () => {
    const { options, store } = makeSite();
    const sizes: number[] = [];
    const withAudit = defineWrapper('withAudit', async (message: BaseMessage & HasChannelSession, next) => {
      const passed = await next();
      sizes.push(store.size);
      message.channelSession.set('audited', true);
      return passed;
    });
    const receive = compose(withChannelSession, withAudit)((message) => message.channelSession.set('n', 1));
    const client = await connectTo({ receive }, { ...options, session: { store } });
    await client.send('x');
    expect(sizes).toEqual([0]);
    expect(JSON.parse(JSON.stringify(client.channelSession))).toEqual({ n: 1, audited: true });
  });

  it('may see what the handler threw, and the channel still ends by it', async () => {
    const { options, errors } = makeSite();
    const seen: unknown[] = [];
    const withWatch = defineWrapper('withWatch', (_message: BaseMessage, next) =>
      whenSettled(
        () => next(),
        (error) => void seen.push(error),
      ),
    );
    const boom = new Error('boom');
    for (const receive of [
      withWatch(() => {
        throw boom;
      }),
      withWatch(async () => {
        await Promise.resolve();
        throw boom;
      }),
    ]) {
      const client = await connectTo({ receive }, options);
      await client.send('x');
      expect(client.closed?.code).toBe(1011);
    }
    expect(seen).toEqual([boom, boom]);
    expect(errors).toEqual([boom, boom]);
  });

  it('may do something that takes time after the handler, and fails where that does', async () => {
    const { options, errors } = makeSite();
    const boom = new Error('boom');
    const done: string[] = [];
    const withAfter = (after: () => unknown) =>
      defineWrapper('withAfter', (_message: BaseMessage, next) => whenSettled(() => next(), after));
    const slow = withAfter(async () => void done.push('slow'));
    const failing = withAfter(async () => {
      throw boom;
    });
    for (const handler of [() => undefined, async () => undefined]) {
      const client = await connectTo({ receive: slow(handler) }, options);
      await client.send('x');
      expect(client.closed).toBeUndefined();
      const other = await connectTo({ receive: failing(handler) }, options);
      await other.send('x');
      expect(other.closed?.code).toBe(1011);
    }
    expect(done).toEqual(['slow', 'slow']);
    expect(errors).toEqual([boom, boom]);
  });

  describe.each(['connect', 'receive'] as const)('in %s', (slot) => {
    const members = ['text', 'channel', 'channelSession', 'signal', 'toJSON', 'commit', 'discard', 'seal', 'abandon', '__proto__'];
    it.each(members.slice(slot === 'connect' ? 1 : 0))('cannot replace message.%s, and is named where it tries', async (member) => {
      const onError = vi.fn();
      const withOther = defineWrapper('withOther', (_message: BaseMessage, next) => next(JSON.parse(`{ "tag": 1, "${member}": {} }`)));
      const client = await connectTo({ [slot]: withOther(() => {}) }, { onError });
      if (slot === 'receive') await client.send('x');
      expect(client.closed?.code ?? client.refusal?.status).toBe(slot === 'connect' ? 500 : 1011);
      const [error] = onError.mock.lastCall ?? [];
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(new RegExp(`^withOther: .*message\\.${member}`));
    });
  });

  it('may add members by the names of what the server notes: the time limit and the order of messages stay as they are', async () => {
    const clock = new TestClock();
    const withStart = defineWrapper('withStart', async (message: ReceiveMessage, next) => {
      await Promise.resolve();
      return next({ startedAt: new Date(clock.now()), sequence: -Number(message.text), isPending: false });
    });
    const begun = vi.fn(async () => new Promise(() => {}));
    const receive = compose(withStart, withOrdering)(begun);
    const client = await connectTo({ receive }, { clock, concurrency: 2, handlerTimeoutMs: 1_000, onError: () => {} });
    const handled = ['1', '2'].map((text) => client.send(text));
    await clock.advance(999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    expect(client.closed?.code).toBe(1011);
    await Promise.all(handled);
    expect(begun.mock.calls).toEqual([[expect.objectContaining({ text: '1' })]]);
  });

  it('may add members by the names of what is answered and connecting: requests are answered, and users are found', async () => {
    const { options, tokens } = makeSite();
    const withState = defineWrapper('withState', (_message: BaseMessage, next) => next({ isAnswered: true, connecting: true }));
    const connect = withState(withUserFromToken({ tokens })(() => {}));
    const receive = withState(withRequestId(() => 'done'));
    const client = await connectTo({ connect, receive }, { ...options, cookies });
    await client.sendJson({ requestId: '1' });
    expect(client.user.id).toBe('alice');
    expect(client.sentJson).toEqual([{ requestId: '1', result: 'done' }]);
  });

  it('must check its options at once', async () => {
    for (const prepare of [async () => ({}), async () => Promise.reject(new Error('nobody hears it'))]) {
      const withLate = defineWrapper('withLate', prepare, (_message: BaseMessage, next) => next());
      expect(() => withLate({})(() => {})).toThrow(TypeError);
      expect(() => withLate(() => {})).toThrow(TypeError);
    }
    await nextTurn();
  });

  it('may throw a ClientError, which withClientErrors around it tells the client', async () => {
    const withQuota = defineWrapper('withQuota', (_message: BaseMessage, next) => {
      if (cookies.key !== aliceKey) return next();
      throw new ClientError('slow_down', { seconds: 5 });
    });
    const client = await connectTo({ receive: withClientErrors(withQuota(() => {})) }, makeSite().options);
    await client.send('x');
    expect(client.sentJson).toEqual([{ error: 'slow_down', seconds: 5 }]);
    expect(client.closed).toBeUndefined();
  });

  it('lets the server see through it what the wrappers inside it need', async () => {
    const { options, tokens } = makeSite();
    const receive = withRoom(
      withUserFromToken({ tokens })((message: BaseMessage & HasUser & { room: string }) =>
        message.channel.sendJson([message.user.id, message.room]),
      ),
    );
    expect(requirementsOf(receive).map(({ kind }) => kind)).toEqual(['identification', 'session']);
    const client = await connectTo({ receive }, { ...options, cookies });
    await client.send('x');
    expect(client.sentJson).toEqual([['alice', 'hall']]);
  });

  it('that calls no next ends nothing: the handler is skipped, the channel stays', async () => {
    const handler = vi.fn();
    const withSilence = defineWrapper('withSilence', (_message: BaseMessage, next) => (handler.length > 5 ? next() : (undefined as never)));
    const client = await connectTo({ receive: withSilence(handler) }, makeSite().options);
    await client.send('x');
    expect(handler).not.toHaveBeenCalled();
    expect(client.closed).toBeUndefined();
  });

  it('gives the same work once per message, also where more than 31 wrappers are made', async () => {
    let works = 0;
    const many = Array.from({ length: 40 }, (_, index) =>
      defineWrapper(`withNumber${index}`, (_message: BaseMessage, next) => {
        works += 1;
        return next();
      }),
    );
    const wrapTwice = (handler: (message: BaseMessage) => unknown) => many.reduceRight((inner, wrap) => wrap(wrap()(inner)), handler);
    const client = await connectTo({ receive: wrapTwice(() => {}) as never }, makeSite().options);
    await client.send('1');
    expect(works).toBe(40);
    await client.send('2');
    expect(works).toBe(80);
  });
});

describe('wrappers of the package', () => {
  it('applied twice, or brought by others, give one session and one user, and look up once', async () => {
    const { options, tokens, lookUps } = makeSite();
    const wrap = withUserFromToken({ tokens });
    const sessions = new Set<unknown>();
    const connect = withChannelSession(
      wrap(
        withChannelSession(
          wrap((message) => {
            sessions.add(message.channelSession);
          }),
        ),
      ),
    );
    const client = await connectTo({ connect }, { ...options, cookies });
    expect(client.user.id).toBe('alice');
    expect(sessions.size).toBe(1);
    expect(lookUps).toHaveLength(1);
  });

  it('are refused outside of a server, with what to do instead', () => {
    const handler = withUserFromToken({ tokens: makeSite().tokens })(() => {});
    const error = thrownBy(() => handler({} as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/withUserFromToken.*connectTo/);
  });

  it('keep this and further arguments, and the handler’s result', async () => {
    const { options, tokens } = makeSite();
    const seen: unknown[] = [];
    const inner = withUserFromToken({ tokens })(function (this: unknown, message: BaseMessage & HasUser, extra: number) {
      seen.push(this, message.user, extra);
      return extra * 2;
    });
    const owner = {
      async connect(message: BaseMessage): Promise<void> {
        seen.push(await inner.call(owner, message as never, 21));
      },
    };
    await connectTo(owner, options);
    expect(seen).toEqual([owner, anonymousUser, 21, 42]);
  });

  it('prepare nothing before they are used: an option is checked when the wrapper is made, not when it is imported', () => {
    expect(codesOf([thrownBy(() => withChannelSession({ ttlMs: 1 }))])).toEqual(['TypeError']);
  });
});

describe('a wrapper whose options must be given', () => {
  const withRole = defineWrapper(
    'withRole',
    ({ role }: { readonly role: string }) => role,
    (_message: BaseMessage, next, role) => next({ role }),
  );

  it('is made with them', async () => {
    const seen: unknown[] = [];
    const receive = withRole({ role: 'admin' })((message: BaseMessage & { role: string }) => void seen.push(message.role));
    const client = await connectTo({ receive }, makeSite().options);
    await client.send('x');
    expect(seen).toEqual(['admin']);
  });

  it('works twice where it is used with different ones', async () => {
    const seen: unknown[] = [];
    const withGuest = withRole({ role: 'guest' })((message: BaseMessage & { role: string }) => void seen.push(message.role));
    await connectTo({ connect: withRole({ role: 'admin' })(withGuest) }, makeSite().options);
    expect(seen).toEqual(['guest']);
  });

  it('asks for its name where that is missing, and takes that of a function without a name', () => {
    expect(() => defineWrapper('', (_message, next) => next({}))).not.toThrow();
    const loose = defineWrapper as unknown as (around: unknown) => unknown;
    expect(() => loose((_message: unknown, next: (added: object) => unknown) => next({}))).toThrow(/^defineWrapper: name must be /);
  });

  it('says that they are missing, in each shape', () => {
    const loose = withRole as unknown as (...given: unknown[]) => unknown;
    for (const use of [
      () => loose(() => {}),
      () => loose(),
      () => loose({}, 'receive', { value: () => {} }),
      () => loose(() => {}, { kind: 'method', name: 'receive' }),
      () => compose(loose as never)(() => {}),
    ]) {
      const error = thrownBy(use);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain('withRole({ … })(handler)');
    }
  });

  it('lets go on what prepare says of options that are given, and what is no TypeError', () => {
    const wrong = new TypeError('withLevel: level must be a number');
    const down = new Error('no registry');
    const withLevel = defineWrapper(
      'withLevel',
      (given?: object): void => {
        throw given === undefined ? down : wrong;
      },
      (_message, next) => next(),
    );
    expect(thrownBy(() => withLevel({}))).toBe(wrong);
    expect(thrownBy(() => withLevel(() => {}))).toBe(down);
  });
});

describe('a handler that returns the query of a database, which runs each time that its then is called', () => {
  const wrappers = {
    'a wrapper that is async': defineWrapper('withAsync', async (_message: BaseMessage, next) => next()),
    'a wrapper that has waited': defineWrapper('withWaiting', async (_message: BaseMessage, next) => {
      await Promise.resolve();
      return next();
    }),
    'a wrapper that does something afterwards': defineWrapper('withAfter', (_message: BaseMessage, next) =>
      whenSettled(
        () => next(),
        () => {},
      ),
    ),
    'a wrapper that gives it on': defineWrapper('withNothing', (_message: BaseMessage, next) => next()),
  };

  it.each(Object.entries(wrappers))('runs it once under %s', async (_name, wrapper) => {
    let runs = 0;
    const query = {
      // biome-ignore lint/suspicious/noThenProperty: as builders of queries have it
      then(done: (rows: readonly unknown[]) => void) {
        runs += 1;
        done([]);
      },
    };
    const client = await connectTo({ receive: wrapper(() => query) }, makeSite().options);
    await client.send('x');
    expect([runs, client.closed]).toEqual([1, undefined]);
  });
});

describe('a wrapper that does not return what next returned', () => {
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  };
  const forgetful = {
    'and returns nothing': defineWrapper('forgetful', ((_message: BaseMessage, next: () => unknown) => {
      next();
    }) as never),
    'and is async': defineWrapper('forgetful', (async (_message: BaseMessage, next: () => unknown) => {
      next();
    }) as never),
    'and has waited before': defineWrapper('forgetful', (async (_message: BaseMessage, next: () => unknown) => {
      await turns();
      next();
    }) as never),
    'and returns something else': defineWrapper('forgetful', ((_message: BaseMessage, next: () => unknown) => {
      next();
      return Promise.resolve(1);
    }) as never),
  };

  it.each(Object.entries(forgetful))('%s is waited for with its handler, whose changes are saved', async (_name, wrapper) => {
    const { options } = makeSite();
    const seen: unknown[] = [];
    const receive = withChannelSession(
      wrapper(async (message: BaseMessage & HasChannelSession) => {
        await turns();
        message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
        seen.push(message.channelSession.get('count'));
      }),
    );
    const client = await connectTo({ receive }, options);
    await Promise.all([client.send('x'), client.send('x')]);
    expect(seen).toEqual([1, 2]);
    expect(client.channelSession.get('count')).toBe(2);
  });

  it.each(Object.entries(forgetful))('%s ends its channel by what its handler throws, and the process lives', async (_name, wrapper) => {
    const { options, errors } = makeSite();
    const receive = wrapper(async () => {
      await turns();
      throw new RangeError('too late for its wrapper');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(codesOf(errors)).toEqual(['RangeError']);
  });

  it('since it throws is told by its own error, whatever its handler comes to', async () => {
    const { options, errors } = makeSite();
    const wrapper = defineWrapper('hasty', (_message, next) => {
      next();
      throw new TypeError('the wrapper’s own');
    });
    const receive = wrapper(async () => {
      await turns();
      throw new RangeError('the handler’s');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    await turns();
    expect(codesOf(errors)).toEqual(['TypeError']);
  });

  it('and calls it twice ends its channel once, and the process lives', async () => {
    const { options, errors } = makeSite();
    const wrapper = defineWrapper('double', ((_message: BaseMessage, next: () => unknown) => {
      next();
      next();
    }) as never);
    const receive = wrapper(async () => {
      await turns();
      throw new RangeError('of both');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    await turns();
    expect([client.closed?.code, codesOf(errors)]).toEqual([1011, ['RangeError']]);
  });

  it('and calls it when the message is over has what that comes to for itself', async () => {
    const { options, errors } = makeSite();
    const caught: unknown[] = [];
    const wrapper = defineWrapper('belated', ((_message: BaseMessage, next: () => unknown) => {
      void turns()
        .then(next)
        .catch((error: unknown) => caught.push(error));
    }) as never);
    const receive = wrapper(async () => {
      await turns();
      throw new RangeError('nobody waits for it');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    for (let round = 0; round < 4; round += 1) await turns();
    expect([codesOf(caught), client.closed, errors]).toEqual([['RangeError'], undefined, []]);
  });

  it('but tries again where its handler has thrown is told by what that comes to', async () => {
    const { options, errors } = makeSite();
    const wrapper = defineWrapper('persistent', async (_message: BaseMessage, next) => {
      try {
        return await next();
      } catch {
        return await next();
      }
    });
    let tries = 0;
    const receive = wrapper(async () => {
      await turns();
      tries += 1;
      if (tries === 1) throw new RangeError('at first');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    expect([tries, client.closed, errors]).toEqual([2, undefined, []]);
  });

  it('may catch what its handler throws: that is no error then', async () => {
    const { options, errors } = makeSite();
    const wrapper = defineWrapper('patient', (async (_message: BaseMessage, next: () => unknown) => {
      try {
        await next();
      } catch {
        // the wrapper knows better
      }
    }) as never);
    const receive = wrapper(async () => {
      await turns();
      throw new RangeError('caught');
    });
    const client = await connectTo({ receive }, options);
    await client.send('x');
    expect([client.closed, errors]).toEqual([undefined, []]);
  });
});
