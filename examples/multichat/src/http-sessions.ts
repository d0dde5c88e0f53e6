import { createHash } from 'node:crypto';
import type { HttpSessionReader } from 'ws-with';

/** The sessions of the site: what the wrappers read, and what logging in and out does to them. */
export interface HttpSessions extends HttpSessionReader {
  /** Makes a session of this user; its id is the value of the cookie. */
  create(userId: string): string | Promise<string>;
  /** Ends a session; whether there was one. */
  destroy(id: string): boolean | Promise<boolean>;
}

/** What a session's id may be called where others can see it: an id is as good as a password, its digest is not. */
export function digestOf(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex');
}
