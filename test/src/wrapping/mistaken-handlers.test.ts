import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  ChannelServer,
  compose,
  defineWrapper,
  dispatchOn,
  fromToken,
  withAllowedOrigins,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withClientErrors,
  withJson,
  withOrdering,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { codesOf, makeSite, thrownBy } from '../../support/site.js';

type Loose = (...given: unknown[]) => unknown;

const withTag = defineWrapper('withTag', (_message, next) => next({ tag: 1 }));
const handler = (): void => {};

/** Wrappers and what makes them, one call short of a handler. */
const unfinished: Readonly<Record<string, unknown>> = {
  'a wrapper': withUserFromToken,
  'a wrapper without options': withOrdering,
  'a wrapper with options': withUserFromToken({}),
  'a wrapper of one’s own': withTag,
  'a composed wrapper': compose(withOrdering, withUserFromToken),
  'an empty composition': compose(),
  'a factory’s wrapper': withJson(z.unknown()),
  'a factory': withJson,
  'another factory': withUserFrom,
  'a factory of a guard': withAllowedOrigins,
  'compose itself': compose,
  'defineWrapper itself': defineWrapper,
  'dispatchOn itself': dispatchOn,
};

async function* later() {}
function* bit() {}

class Greeter {
  receive(): void {}
}

/** Functions that only `new` can call. */
const classes: Readonly<Record<string, unknown>> = { 'a class': Greeter, 'a class without a name': class {} };

/** Functions that return without having run. */
const generators: Readonly<Record<string, unknown>> = {
  'a generator function': bit,
  'an async generator function': later,
  'a bound one': later.bind(undefined),
  'one of another realm': runInNewContext('(async function* () {})'),
};

const { tokens } = makeSite();

/** All places for a handler: each makes something of `given`. */
const places: Readonly<Record<string, (given: unknown) => unknown>> = {
  'a slot of an object': (given) => new ChannelServer({ receive: given } as never),
  'the connect slot': (given) => new ChannelServer({ connect: given, receive: handler } as never),
  'a slot of an instance': (given) => {
    class Chat {
      disconnect = given;
    }
    return new ChannelServer(new Chat() as never);
  },
  'a slot of a class': (given) => {
    class Chat {
      receive = given;
    }
    return new ChannelServer(Chat as never);
  },
  'a part of dispatchOn': (given) => dispatchOn('do', { it: given } as never),
  'a wrapper': (given) => (withChannelUser as unknown as Loose)(given),
  'a wrapper with options': (given) => (withUserFromToken({ tokens }) as unknown as Loose)(given),
  'a composed wrapper': (given) => (compose(withOrdering, withChannelSession) as unknown as Loose)(given),
  'an empty composition': (given) => (compose() as unknown as Loose)(given),
  'a wrapper of one’s own': (given) => (withTag as unknown as Loose)(given),
  withClientErrors: (given) => (withClientErrors as unknown as Loose)(given),
  withJson: (given) => (withJson(z.unknown()) as unknown as Loose)(given),
  'a decorator': (given) => (withChannelUser as unknown as Loose)(given, { kind: 'method', name: 'receive' }),
  'a legacy decorator': (given) => (withChannelUser as unknown as Loose)({}, 'receive', { value: given }),
  defineWrapper: (given) => defineWrapper('withX', given as never),
};

describe.each(Object.entries(places))('%s', (_place, put) => {
  it.each(Object.entries({ ...unfinished, ...generators, ...classes }))('refuses %s in the place of a handler', (_what, given) => {
    expect(thrownBy(() => put(given))).toBeInstanceOf(TypeError);
  });
});

describe('a command that is called as a class begins', () => {
  it('may be handled by a method of that name', async () => {
    const seen: unknown[] = [];
    const receive = dispatchOn('do', {
      class(message) {
        seen.push(message.body);
      },
    });
    const client = await connectTo({ receive }, makeSite().options);
    await client.sendJson({ do: 'class' });
    expect(seen).toEqual([{ do: 'class' }]);
  });
});

describe('what is refused in the place of a handler', () => {
  it('is named, with what to write instead', () => {
    const of = (put: keyof typeof places, given: unknown) => thrownBy(() => places[put]?.(given)).message;
    expect(of('the connect slot', compose(withOrdering, withUserFromToken))).toMatch(
      /connect.*compose\(withOrdering, withUserFromToken\)\(handler\)/,
    );
    expect(of('a wrapper with options', withChannelUser)).toMatch(/^withUserFromToken: .*withChannelUser\(handler\)/);
    expect(of('a slot of an object', withJson)).toMatch(/receive.*withJson\(…\)/);
    expect(of('a part of dispatchOn', later)).toMatch(/^dispatchOn: it .*generator/);
  });

  it('is named by its method where a decorator stands on it, in both dialects', () => {
    const decorate: Loose = withOrdering as never;
    const of = (...given: unknown[]) => thrownBy(() => decorate(...given)).message;
    expect(of(later, { kind: 'method', name: 'receive' })).toMatch(/^@withOrdering: receive .*generator/);
    expect(of({}, 'receive', { value: later })).toMatch(/^@withOrdering: receive .*generator/);
    expect(of(undefined, { kind: 'field', name: 'receive' })).toMatch(/^@withOrdering .*receive is a field$/);
  });

  it('says so also where a wrapper would have hidden it', () => {
    expect(thrownBy(() => withUserFromToken({ tokens })(withOrdering(later as never))).message).toMatch(/generator/);
  });

  it('ends the channel where a function of one’s own makes it for each message and gives it back', async () => {
    const withRole = () => withUserFromToken({ tokens })(withAuthenticatedUser(handler));
    for (const connect of [withRole, withOrdering(() => withRole()), () => withOrdering, compose(withOrdering)(() => withRole())]) {
      const { options, errors } = makeSite();
      expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 500 });
      expect(codesOf(errors)).toEqual(['TypeError']);
    }
  });
});

describe('what a handler returns, or its promise comes to', () => {
  const guarded = withUserFromToken({ tokens })(withAuthenticatedUser(handler));
  const withRole = compose(withUserFromToken({ tokens }), withAuthenticatedUser);
  const returned: Readonly<Record<string, () => unknown>> = {
    'a wrapped handler, later': async () => guarded,
    'a wrapper, later': async () => withRole,
    'a wrapped handler, later, under a wrapper': withOrdering(async () => guarded) as () => unknown,
    'a generator': () => later(),
    'a generator, later': async () => later(),
    'an asynchronous generator': () => (async function* () {})(),
  };

  it.each(Object.entries(returned))('ends the channel where nothing of it would run: %s', async (_what, give) => {
    for (const slot of ['connect', 'receive', 'disconnect'] as const) {
      const { options, errors } = makeSite();
      const client = await connectTo({ [slot]: give }, options);
      if (slot === 'connect') expect(client.refusal).toEqual({ status: 500 });
      else {
        await client.send('x');
        if (slot === 'receive') expect(client.closed?.code).toBe(1011);
        await client.disconnect();
      }
      expect(codesOf(errors)).toEqual(['TypeError']);
    }
  });
});

describe('a wrapped handler in the place of all handlers', () => {
  it.each([withChannelUser(handler), withOrdering, compose(withOrdering, withChannelUser)(handler), withJson])(
    'is no class: %o',
    (given) => {
      expect(thrownBy(() => new ChannelServer(given as never)).message).toMatch(
        /^ChannelServer: handlers must be .* none of these: write \{ receive: … \}$/,
      );
    },
  );
});

describe('a wrapped handler that is static', () => {
  class Chat {
    static readonly connect = withChannelUser(handler);
    receive(): void {}
  }

  it('is refused, since no instance would call it', () => {
    for (const given of [Chat, new Chat(), new (class extends Chat {})()]) {
      expect(thrownBy(() => new ChannelServer(given)).message).toMatch(/connect is static/);
    }
  });

  it('is none of a server’s business where the instance has its own, or where no wrapper made it', () => {
    class Room extends Chat {
      connect(): void {}
    }
    class Hall {
      static connect(): Hall {
        return new Hall();
      }
      receive(): void {}
    }
    for (const given of [Room, new Hall()]) expect(new ChannelServer(given as object)).toBeInstanceOf(ChannelServer);
  });
});

describe('compose', () => {
  it.each([
    ['a handler', handler],
    ['a wrapped handler', withChannelUser(handler)],
    ['a factory', withJson],
    ['a factory of one’s own', () => withTag],
    ['no function', 42],
    ['null', null],
    ['nothing', undefined],
    ['a source', fromToken()],
  ])('takes no %s for a wrapper', (_what, given) => {
    expect(thrownBy(() => (compose as Loose)(withOrdering, given))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => (compose as Loose)(given))).toBeInstanceOf(TypeError);
  });
});

describe('dispatchOn', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a function', handler],
    ['a list', [handler]],
    ['a Map', new Map([['it', handler]])],
    [
      'an instance',
      new (class {
        it() {}
      })(),
    ],
    ['a text', 'it'],
  ])('takes no %s for its parts', (_what, parts) => {
    const error = thrownBy(() => (dispatchOn as Loose)('command', parts));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^dispatchOn: .*\{ command: handler \}/);
  });

  it('takes its parts for none without a property', () => {
    expect(thrownBy(() => (dispatchOn as Loose)({ it: handler }))).toBeInstanceOf(TypeError);
  });

  it('takes objects of whatever realm and without a prototype', () => {
    for (const parts of [{ it: handler }, Object.assign(Object.create(null), { it: handler }), runInNewContext('({ it() {} })')]) {
      expect(dispatchOn('command', parts)).toBeTypeOf('function');
    }
  });
});
