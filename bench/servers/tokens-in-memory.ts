import { MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { accountCount, type BenchUser, keyOf, userOf } from '../accounts.js';

/** The tokens of all accounts, in this process. */
export function tokensInMemory(): MemoryTokenRepository<BenchUser> {
  const users = new MemoryUserRepository<BenchUser>();
  const tokens = new MemoryTokenRepository({ users });
  for (let index = 0; index < accountCount; index += 1) {
    const user = userOf(index);
    users.set(user);
    tokens.add(keyOf(index), user.id);
  }
  return tokens;
}
