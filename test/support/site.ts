import { afterEach, beforeEach, expect, vi } from 'vitest';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import { TestClock } from '../../entries/testing.js';
import type { ChannelError } from '../../src/errors.js';
import type { ChannelServerOptions } from '../../src/server/channel-server-options.js';
import type { AuthenticatedUser } from '../../src/users.js';
import { collectUncaught } from './uncaught.js';

export const alice: AuthenticatedUser = Object.freeze({ id: 'alice', isAuthenticated: true });
export const bob: AuthenticatedUser = Object.freeze({ id: 'bob', isAuthenticated: true });

/** A key as Django REST framework makes them. */
export const aliceKey = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
export const bobKey = '00112233445566778899aabbccddeeff00112233';

/** Everything that an application has beside its handlers, in the process, with a clock that stands still. */
export interface Site {
  readonly clock: TestClock;
  readonly users: MemoryUserRepository;
  readonly tokens: MemoryTokenRepository;
  /** The calls of `tokens.findById`. */
  readonly lookUps: readonly unknown[];
  readonly sessions: MemoryHttpSessionReader;
  readonly store: MemorySessionStore;
  readonly errors: unknown[];
  readonly warnings: ChannelError[];
  /** For a server: the clock, and reporters that fill `errors` and `warnings`. */
  readonly options: ChannelServerOptions;
}

/** `reader`, as if its sessions were ended by another process: nobody tells of it, and wrappers find them gone. */
export function endingInSilence(reader: MemoryHttpSessionReader): MemoryHttpSessionReader {
  vi.spyOn(reader.revocations, 'tell').mockReturnValue(undefined);
  return reader;
}

/** A new site, where `aliceKey` and `bobKey` are good. */
export function makeSite(): Site {
  const clock = new TestClock();
  const users = new MemoryUserRepository([alice, bob]);
  const tokens = new MemoryTokenRepository({ users, clock });
  tokens.add(aliceKey, 'alice');
  tokens.add(bobKey, 'bob');
  const lookUps = vi.spyOn(tokens, 'findById').mock.calls;
  const sessions = endingInSilence(new MemoryHttpSessionReader({ clock }));
  const store = new MemorySessionStore({ clock });
  const errors: unknown[] = [];
  const warnings: ChannelError[] = [];
  const options: ChannelServerOptions = {
    clock,
    onError: (error) => void errors.push(error),
    onWarning: (warning) => void warnings.push(warning),
  };
  return { clock, users, tokens, lookUps, sessions, store, errors, warnings, options };
}

/** The codes of errors, or their names where they have none. */
export function codesOf(errors: readonly unknown[]): string[] {
  return errors.map((error) => (error as { code?: string }).code ?? (error as Error).name);
}

/** The same of what `promise` rejects with; `undefined` where it does not. */
export async function codeOf(promise: Promise<unknown> | undefined): Promise<string | undefined> {
  return promise?.then(
    () => undefined,
    (error: unknown) => codesOf([error])[0],
  );
}

/** The error that `run` throws. */
export function thrownBy(run: () => unknown): Error & { readonly code?: string } {
  try {
    run();
  } catch (error) {
    return error as Error & { readonly code?: string };
  }
  throw new Error('nothing was thrown');
}

/** Each test of the file must leave the process as it was: no promise rejected and no exception thrown that nobody caught. */
export function expectProcessToLive(): void {
  let uncaught: () => Promise<readonly unknown[]>;
  beforeEach(() => {
    uncaught = collectUncaught();
  });
  afterEach(async () => {
    expect(await uncaught()).toEqual([]);
  });
}
