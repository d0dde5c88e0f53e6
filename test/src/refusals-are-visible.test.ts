import { setImmediate as nextTurn } from 'node:timers/promises';
import 'reflect-metadata';
import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  container,
  fromHttpSession,
  fromToken,
  HTTP_SESSION_READER,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  type TokenRepository,
  withAuthenticatedUser,
  withChannelSession,
  withHttpSession,
  withUserFrom,
  withUserFromToken,
} from '../../entries/index.js';
import { MemoryHttpSessionReader, MemoryUserRepository } from '../../entries/memory.js';
import { connectTo, TestClock } from '../../entries/testing.js';

const key = 'a'.repeat(40);
const now = new Date(0);
const ann = { id: 'ann', isAuthenticated: true } as const;

function answering(grant: object | undefined): TokenRepository {
  return { findById: async (id) => grant && ({ id, user: ann, ...grant } as never) };
}

const outcomes: Record<string, { readonly tokens: TokenRepository; readonly cookies?: Record<string, string> }> = {
  missing: { tokens: answering(undefined), cookies: {} },
  malformed: { tokens: answering(undefined), cookies: { key: 'short' } },
  unknown: { tokens: answering(undefined) },
  expired: { tokens: answering({ expiresAt: now }) },
  revoked: { tokens: answering({ revokedAt: now }) },
  'inactive-user': { tokens: answering({ user: undefined }) },
};

function guarded(tokens: TokenRepository, onWarning: (warning: Error) => void, clock = new TestClock()): ChannelServer {
  return new ChannelServer({ connect: withUserFromToken({ tokens })(withAuthenticatedUser(() => undefined)) }, { onWarning, clock });
}

describe('an anonymous client that is refused', () => {
  it.each(Object.entries(outcomes))('is told to onWarning with its outcome: %s', async (outcome, { tokens, cookies = { key } }) => {
    const onWarning = vi.fn();
    const client = await connectTo(guarded(tokens, onWarning), { cookies });
    expect(client.refusal).toEqual({ status: 401 });
    expect(onWarning).toHaveBeenCalledTimes(1);
    const warning = onWarning.mock.calls[0]?.[0] as Error;
    expect(warning).toMatchObject({ code: 'ERR_AUTHENTICATION_REQUIRED' });
    expect(warning.message).toContain(`outcome ${outcome}`);
    expect(warning.message).not.toContain(key);
  });

  it('is told of with the source that did not take it, apart for each, and whether that has ended', async () => {
    const warnings: string[] = [];
    const sessions = new MemoryHttpSessionReader();
    const ended = fromHttpSession({ sessions, users: new MemoryUserRepository([ann]), until: now });
    const connect = withUserFrom(fromToken({ tokens: answering({ expiresAt: now }) }), ended)(withAuthenticatedUser(() => undefined));
    const server = new ChannelServer(
      { connect },
      { onWarning: ({ code, message }) => code === 'ERR_AUTHENTICATION_REQUIRED' && warnings.push(message) },
    );
    await connectTo(server, { cookies: { key } });
    await connectTo(server, { cookies: { sessionid: sessions.create('ann') } });
    await connectTo(server, { cookies: { sessionid: sessions.create(undefined) } });
    expect(warnings).toEqual([
      expect.stringMatching(/outcome expired of the source token:(?!.*until)/),
      expect.stringMatching(/outcome expired of the source http-session:.*until/),
      expect.stringMatching(/outcome missing of the source http-session/),
    ]);
  });

  it('is told once a minute for each outcome, with how many were left out', async () => {
    const warnings: string[] = [];
    const clock = new TestClock();
    const server = guarded(answering(undefined), ({ message }) => warnings.push(message), clock);
    for (let round = 0; round < 5; round += 1) await connectTo(server, { cookies: { key } });
    await connectTo(server);
    expect(warnings.map((text) => /outcome (\w+)/.exec(text)?.[1])).toEqual(['unknown', 'missing']);
    await clock.advance(60_000);
    await connectTo(server, { cookies: { key } });
    expect(warnings[2]).toMatch(/outcome unknown.* 4 more/);
    await clock.advance(60_000);
    await connectTo(server, { cookies: { key } });
    expect(warnings[3]).not.toMatch(/more/);
  });
});

describe('message.signal', () => {
  it('takes a thousand listeners without a warning of the process', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    await connectTo({
      connect: ({ signal }) => {
        for (let listener = 0; listener < 1_000; listener += 1) signal.addEventListener('abort', () => undefined);
      },
    });
    await nextTurn();
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('a dependency that cannot be used', () => {
  const nothing = (): void => undefined;
  const rows = [
    { name: 'TOKEN_REPOSITORY', token: TOKEN_REPOSITORY, handlers: { connect: withUserFromToken(nothing) } },
    { name: 'SESSION_STORE', token: SESSION_STORE, handlers: { connect: withChannelSession(nothing) } },
    { name: 'HTTP_SESSION_READER', token: HTTP_SESSION_READER, handlers: { connect: withHttpSession(nothing) } },
  ] as const;

  it.each(rows)('since its factory is async is an error that names $name and the remedy', async ({ name, token, handlers }) => {
    const child = container.createChildContainer();
    child.register(token as typeof TOKEN_REPOSITORY, { useFactory: () => Promise.reject(new Error('down')) as never });
    const build = (): ChannelServer => new ChannelServer(handlers, { container: child });
    expect(build).toThrow(TypeError);
    expect(build).toThrow(new RegExp(`promise.*await.*${name}`));
    await nextTurn(); // a lost rejection would fail the run
  });

  it('since its class has no metadata is an error that names its token and the remedy', () => {
    class Repository {
      constructor(readonly db: object) {}
      async findById(): Promise<undefined> {}
    }
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, { useClass: Repository });
    const build = (): ChannelServer => new ChannelServer({ connect: withUserFromToken(nothing) }, { container: child });
    expect(build).toThrow(/TOKEN_REPOSITORY.*@injectable.*emitDecoratorMetadata/);
  });

  it('since a class of handlers has no metadata is an error that names the class and the remedy', () => {
    class Chat {
      constructor(readonly rooms: object) {}
      receive(): void {}
    }
    expect(() => new ChannelServer(Chat)).toThrow(/class Chat.*@injectable.*emitDecoratorMetadata/);
  });
});
