import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import {
  type BaseMessage,
  compose,
  defineWrapper,
  dispatchOn,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
  type StandardSchema,
  withChannelSession,
  withJson,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

describe('withJson', () => {
  it.each([
    ['zod', z.object({ room: z.string() })],
    ['valibot', v.object({ room: v.string() })],
    ['arktype', type({ room: 'string' })],
    ['an asynchronous schema', z.object({ room: z.string().refine(async (room) => room !== '') })],
  ] as [string, StandardSchema<unknown, { room: string }>][])('checks the message with %s', async (_name, schema) => {
    const reached = vi.fn();
    const receive = withJson(schema)((message) => reached(message.body.room));
    const client = await connectTo({ receive });
    await client.sendJson({ room: 'lobby' });
    expect(reached.mock.calls).toEqual([['lobby']]);
    await client.sendJson({ room: 5 });
    expect(reached).toHaveBeenCalledTimes(1);
    expect(client.sentJson).toMatchObject([{ error: 'invalid_message', issues: [{ path: ['room'] }] }]);
    expect(typeof (client.sentJson[0] as { issues: { message: string }[] }).issues[0]?.message).toBe('string');
    expect(client.closed).toBeUndefined();
  });

  it('tells a client of twenty issues at most: the answer to a list of bad elements would be far longer than the list', async () => {
    const client = await connectTo({ receive: withJson(z.array(z.string()))(() => {}) });
    await client.sendJson(Array.from({ length: 1000 }, () => 0));
    const [{ issues }] = client.sentJson as [{ issues: { path: number[] }[] }];
    expect(issues.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, index) => [index]));
  });

  it('checks a message once by one schema, however often it comes to it, and another schema is given its output', async () => {
    const schema = z.object({ n: z.number() }).transform(({ n }) => ({ n: n + 1 }));
    const doubled = z.object({ n: z.number() }).transform(({ n }) => ({ n: n * 2 }));
    const withRetry = defineWrapper('withRetry', async (_message: BaseMessage, next) => {
      try {
        return await next();
      } catch {
        return await next();
      }
    });
    let failures = 1;
    const say = ({ body, channel }: ReceiveMessage & HasBody) => {
      if (failures-- > 0) throw new Error('try again');
      channel.sendJson(body);
    };
    const nested = withJson(schema)(withJson(schema)(withJson(doubled)(say)));
    const client = await connectTo({ receive: withRetry(nested) });
    await client.sendJson({ n: 1 });
    await client.sendJson({ n: 'one' });
    expect(client.sentJson).toMatchObject([{ n: 4 }, { error: 'invalid_message' }]);
  });

  it('checks what another wrapper has put in place of the body, and gives the output of the schema that stands next to the handler', async () => {
    const named = z.object({ name: z.string(), inner: z.unknown().optional() });
    const withInner = defineWrapper('withInner', (message: ReceiveMessage & HasBody<{ readonly inner?: unknown }>, next) =>
      next({ body: message.body.inner }),
    );
    const say = ({ body, channel }: ReceiveMessage & HasBody) => channel.sendJson(body);
    const unwrapped = await connectTo({ receive: compose(withJson(named), withInner, withJson(named))(say) });
    await unwrapped.sendJson({ name: 'outer', inner: { name: 'inner' } });
    await unwrapped.sendJson({ name: 'outer', inner: { evil: true } });
    expect(unwrapped.sentJson).toMatchObject([{ name: 'inner' }, { error: 'invalid_message', issues: [{ path: ['name'] }] }]);
    const counted = z.looseObject({}).transform((body) => ({ keys: Object.keys(body).length }));
    const between = await connectTo({ receive: withJson(named)(withJson(counted)(withJson(named)(say))) });
    await between.sendJson({ name: 'ann' });
    expect(between.sentJson).toEqual([{ name: 'ann' }]);
  });

  it.each([undefined, null, true, 'lobby', 5, [], {}, { valid: true }, { room: 'lobby' }])(
    'lets nothing pass for checked where the schema returns %j, which is no result',
    async (result) => {
      for (const validate of [() => result, async () => result]) {
        const errors: unknown[] = [];
        const reached = vi.fn();
        const schema = { '~standard': { version: 1, vendor: 'mine', validate } } as unknown as StandardSchema;
        const client = await connectTo({ receive: withJson(schema)(reached) }, { onError: (error) => void errors.push(error) });
        await client.sendJson({ room: 'lobby' });
        expect(reached).not.toHaveBeenCalled();
        expect(client.closed?.code).toBe(1011);
        expect(errors).toMatchObject([{ name: 'TypeError', message: expect.stringMatching(/^withJson: .*validate must return/) }]);
      }
    },
  );

  it("gives the schema's output, not its input", async () => {
    const receive = withJson(z.object({ n: z.string().transform(Number) }))((message) => message.channel.sendJson(message.body.n + 1));
    const client = await connectTo({ receive });
    await client.sendJson({ n: '41' });
    expect(client.sentJson).toEqual([42]);
  });

  it('tells the client that it sent no JSON', async () => {
    const reached = vi.fn();
    const client = await connectTo({ receive: withJson(z.unknown())(reached) });
    await client.send('{"room":');
    await client.send('');
    expect(client.sentJson).toEqual([{ error: 'invalid_json' }, { error: 'invalid_json' }]);
    expect(reached).not.toHaveBeenCalled();
  });

  it('names the path of an issue whatever form its segments have', async () => {
    const issues = [{ message: 'no', path: [{ key: 'list' }, 0, Symbol('s')] }, { message: 'nowhere' }];
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } };
    const client = await connectTo({ receive: withJson(schema)(() => {}) });
    await client.sendJson({});
    expect(client.sentJson).toEqual([
      {
        error: 'invalid_message',
        issues: [
          { path: ['list', 0, 'Symbol(s)'], message: 'no' },
          { path: [], message: 'nowhere' },
        ],
      },
    ]);
  });

  it('goes by itself inside dispatchOn, on the JSON that was parsed there', async () => {
    const parse = vi.spyOn(JSON, 'parse');
    const join = vi.fn((_room: string) => undefined);
    const receive = dispatchOn('command', { join: withJson(z.object({ room: z.string() }))(({ body }) => join(body.room)) });
    const client = await connectTo({ receive });
    parse.mockClear();
    await client.send('{"command":"join","room":"a"}');
    expect(join.mock.calls).toEqual([['a']]);
    expect(parse).toHaveBeenCalledTimes(1);
  });

  it('leaves the session as it was for bad input', async () => {
    const withCount = defineWrapper('withCount', (message: BaseMessage & HasChannelSession, next) => {
      message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
      return next();
    });
    const client = await connectTo({ receive: compose(withChannelSession, withCount, withJson(z.object({ a: z.number() })))(() => {}) });
    await client.send('no');
    await client.sendJson({ a: 'one' });
    expect([client.sentJson.length, client.channelSession.get('count')]).toEqual([2, undefined]);
    await client.sendJson({ a: 1 });
    expect(client.channelSession.get('count')).toBe(1);
  });

  it('lets other errors of its schema and its handler go on', async () => {
    const failing: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('broken schema')) },
    };
    const onError = vi.fn();
    const client = await connectTo({ receive: withJson(failing)(() => {}) }, { onError });
    await client.sendJson({});
    expect(client.closed?.code).toBe(1011);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it('stands on receive handlers, and takes a schema and no options', async () => {
    const schema = z.unknown();
    const onError = vi.fn();
    const client = await connectTo({ connect: withJson(schema)(() => {}) as never }, { onError });
    expect(client.refusal).toEqual({ status: 500 });
    expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(TypeError);
    expect(() => withJson({ room: 'string' } as never)).toThrow(TypeError);
    expect(() => withJson(null as never)).toThrow(TypeError);
    expect(() => (withJson(schema) as (options: object) => unknown)({ strict: true })).toThrow(TypeError);
    expect((withJson(schema) as () => unknown)()).toBeTypeOf('function');
  });
});
