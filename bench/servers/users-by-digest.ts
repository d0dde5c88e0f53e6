import { parseCookie } from 'cookie';
import { tokenIdOf } from 'ws-with';
import type { BenchUser } from '../accounts.js';
import { tokensInMemory } from './tokens-in-memory.js';

const tokens = tokensInMemory();

/** The user whose token has `key`, as ws-with finds them: by the digest of the key, in a repository that is awaited. */
export async function userOfKey(key: string): Promise<BenchUser | undefined> {
  return (await tokens.findById(tokenIdOf(key)))?.user;
}

/** That of the cookie `key` in the header `cookies`. */
export function userOfCookie(cookies: string | null | undefined): Promise<BenchUser | undefined> | undefined {
  const key = parseCookie(cookies ?? '')['key'];
  return key === undefined ? undefined : userOfKey(key);
}
