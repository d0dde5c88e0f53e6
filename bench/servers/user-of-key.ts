import { tokenIdOf } from 'ws-with';
import type { BenchUser } from '../accounts.js';
import { tokensInMemory } from './tokens-in-memory.js';

const tokens = tokensInMemory();

/** The user whose token has `key`, as ws-with finds them: by the digest of the key, in a repository that is awaited. */
export async function userOfKey(key: string | undefined): Promise<BenchUser | undefined> {
  return key === undefined ? undefined : (await tokens.findById(tokenIdOf(key)))?.user;
}
