import { MemoryHttpSessionReader, MemoryTokenRepository, MemoryUserRepository } from '../../adapters/memory/index.js';
import type { AuthenticatedUser } from '../../src/users.js';

/** The key of the post's Android client. */
export const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
export const ann: AuthenticatedUser = { id: 'ann', isAuthenticated: true };
export const bob: AuthenticatedUser = { id: 'bob', isAuthenticated: true };

/** Two users, a token of ann's with {@link key}, and a web site's sessions. */
export function makeAccounts(): {
  readonly users: MemoryUserRepository;
  readonly tokens: MemoryTokenRepository;
  readonly sessions: MemoryHttpSessionReader;
} {
  const users = new MemoryUserRepository([ann, bob]);
  const tokens = new MemoryTokenRepository({ users });
  tokens.add(key, 'ann');
  return { users, tokens, sessions: new MemoryHttpSessionReader({ cookie: 'sessionid' }) };
}
