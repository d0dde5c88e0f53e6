import { createHash } from 'node:crypto';
import type { HttpSession, HttpSessionReader } from 'ws-with';

/** The sessions of the site: what the wrappers read, and what logging in and out does to them. */
export interface HttpSessions extends HttpSessionReader {
  /** Makes a session of this user; resolves to the value of its cookie. */
  create(userId: string, data: Readonly<Record<string, unknown>>): string | Promise<string>;
  /** Ends the session with this id; whether there was one. */
  destroy(id: string): boolean | Promise<boolean>;
  /** The sessions of a user that have not ended. */
  listOf(userId: string): Promise<readonly HttpSession[]>;
}

/** What a session may be called where others can see it: its cookie is as good as a password, a digest is not. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
