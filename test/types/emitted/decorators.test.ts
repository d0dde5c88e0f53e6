import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthenticatedUser, ChannelServer, container, TOKEN_REPOSITORY, type TokenRepository, tokenIdOf } from 'ws-with';
import { connectTo } from 'ws-with/testing';
import { compile, outputs } from '../compiler.js';
import { messageOf } from './message-of.js';
import { promisesMadeBy } from './promises-made-by.js';

type ChatModule = typeof import('./chat.js');
type PrivateModule = typeof import('./private-method.js');
type ServedModule = typeof import('./served-chat.js');

const out = join(outputs, 'emitted');

/** Vitest does not lower standard decorators, so the compiler does it, and the tests run what it has written. */
async function emit(dialect: string): Promise<void> {
  expect(await compile(join('emitted', `tsconfig.${dialect}.json`))).toEqual([]);
}

async function load<Module>(dialect: string, name: string): Promise<Module> {
  return (await import(pathToFileURL(join(out, dialect, `${name}.js`)).href)) as Module;
}

beforeAll(async () => {
  await rm(out, { recursive: true, force: true });
  await Promise.all(['standard', 'legacy'].map(emit));
}, 120_000);

describe.each(['standard', 'legacy'])('a method under decorators of the %s dialect', (dialect) => {
  let module: ChatModule;
  beforeAll(async () => {
    module = await load(dialect, 'chat');
  });
  beforeEach(() => {
    module.log.length = 0;
  });

  it('keeps this and its result, and makes no promise of its own', () => {
    const chat = new module.Chat();
    let result: unknown;
    expect(promisesMadeBy(() => (result = chat.bare(messageOf('ann'))))).toBe(0);
    expect(result).toBe('lobby: ann');
    expect(chat.seen).toEqual(['ann']);
  });

  it('keeps its promise where it is async', async () => {
    const result = new module.Chat().called(messageOf('ann'));
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe('lobby: ann');
  });

  it('is wrapped with options', () => {
    expect(new module.Chat().withOptions(messageOf('ann'))).toEqual(['lobby', 'given']);
  });

  it('keeps its further arguments under a stack, whose outermost wrapper runs first', () => {
    expect(new module.Chat().stacked(messageOf('ann'), 'room', 2)).toEqual(['lobby', 'ann', 'room', 2]);
    expect(module.log).toEqual(['withLog', 'withName']);
  });

  it('is wrapped once by each wrapper made with options of its own', () => {
    expect(new module.Chat().repeated(messageOf('ann'))).toBe('default');
    expect(module.log).toEqual(['outer', 'default', 'default']);
  });

  it('is wrapped by a composition, of which a later wrapper needs what an earlier one adds', () => {
    expect(new module.Chat().composed(messageOf('ann'))).toBe('ann!');
  });

  it('may be static', () => {
    expect(module.Chat.ofClass(messageOf('ann'))).toEqual([module.Chat, 'ann']);
  });

  it('may be named by a symbol', () => {
    expect(new module.Chat()[module.symbol](messageOf('ann'))).toBe('ann');
  });

  it('is inherited, overridden and called by super', () => {
    expect(new module.LoudChat().bare(messageOf('ann'))).toBe('lobby: ann!');
    expect(new module.LoudChat().stacked(messageOf('ann'))).toEqual(['lobby', 'ann']);
  });

  it('stays a method of the prototype: not enumerable, replaceable, with the name of its wrapping', () => {
    const descriptor = Object.getOwnPropertyDescriptor(module.Chat.prototype, 'bare') as PropertyDescriptor;
    expect(descriptor).toMatchObject({ enumerable: false, writable: true, configurable: true });
    expect((descriptor.value as { name: string }).name).toBe('withName(bare)');
    expect(Object.keys(new module.Chat())).not.toContain('bare');
  });

  it('shows its wrappers in a stack trace', () => {
    let stack: string | undefined;
    try {
      new module.Chat().fails(messageOf('ann'));
    } catch (error) {
      stack = (error as Error).stack;
    }
    expect(stack).toMatch(/\bfails\b[\s\S]*withLog\(fails\)/);
  });

  it('has an alternative in a field that holds a wrapped function', () => {
    expect(new module.Chat().field(messageOf('ann'))).toBe('lobby: ann');
  });
});

it('a private method keeps this under a decorator of the standard dialect', async () => {
  const { Secretive } = await load<PrivateModule>('standard', 'private-method');
  expect(new Secretive().reveal(messageOf('ann'))).toBe('cellar: ann');
});

describe.each(['standard', 'legacy'])('a class under decorators of the %s dialect serves', (dialect) => {
  const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
  const ann: AuthenticatedUser = { id: 'ann', isAuthenticated: true };
  const tokens: TokenRepository = { findById: async (id) => (id === tokenIdOf(key) ? { id, user: ann } : undefined) };
  const withTokens = container.createChildContainer().register(TOKEN_REPOSITORY, { useValue: tokens });
  let module: ServedModule;
  beforeAll(async () => {
    module = await load(dialect, 'served-chat');
  });

  it('as an instance, whose this is kept', async () => {
    const chat = new module.ServedChat();
    const client = await connectTo(new ChannelServer(chat, { container: withTokens }), { cookies: { key } });
    await client.send('one');
    await client.send('two');
    await client.disconnect();
    expect(client.sentJson).toEqual([{ hello: 'ann' }, { from: 'ann', said: ['one'] }, { from: 'ann', said: ['one', 'two'] }]);
    expect(chat.farewells).toEqual(['ann']);
  });

  it('as a class, which the container resolves', async () => {
    const client = await connectTo(new ChannelServer(module.ServedChat, { container: withTokens }), { cookies: { key } });
    await client.send('one');
    expect(client.sentJson).toEqual([{ hello: 'ann' }, { from: 'ann', said: ['one'] }]);
  });

  it('and its guard refuses the anonymous', async () => {
    const client = await connectTo(new ChannelServer(module.ServedChat, { container: withTokens }));
    expect(client.refusal).toEqual({ status: 401 });
    expect(client.sent).toEqual([]);
  });

  it('but a method that nobody decorated fails, and says what it lacks', async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const client = await connectTo(new ChannelServer(new module.ForgetfulChat(), { onError }));
    await client.send('hello');
    expect(client.closed?.code).toBe(1011);
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toMatch(/message\.user/);
  });
});
