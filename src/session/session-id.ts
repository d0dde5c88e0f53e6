import { hash, randomBytes } from 'node:crypto';

/** The id of a record that belongs to one connection: random, and never told to anybody. */
export function randomSessionId(): string {
  return randomBytes(32).toString('hex');
}

/** The id of the record that belongs to a user, a token or an HTTP session: a digest, so a store's reader learns no credential. */
export function derivedSessionId(owner: 'user' | 'token' | 'http-session', id: string): string {
  return hash('sha256', `ws-with:channel-session:${owner}:${id}`, 'hex');
}
