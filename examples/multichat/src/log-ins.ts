import type { IncomingMessage } from 'node:http';
import type { Member } from './member.js';

/** How long a log-in lasts: a week, in milliseconds. */
export const logInTtlMs: number = 7 * 24 * 60 * 60 * 1000;

/** One of a member's log-ins, as its member may see it. */
export interface LogIn {
  /** Tells it from others. It is a digest: nobody gets in with it. */
  readonly id: string;
  /** What was logged in with, as a person would call it. */
  readonly device: string;
  readonly createdAt: Date;
  /** When a channel or a page was last opened with it; where that is not kept, absent. */
  readonly lastUsedAt?: Date | undefined;
}

/**
 * What logging in and out means. There is one for tokens and one for HTTP sessions. Whatever ends a log-in here closes its channels, on every
 * process: the package sees to that.
 */
export interface LogIns {
  /** Name of the cookie that a log-in lives in. */
  readonly cookie: string;
  /** Begins a log-in; resolves to the value of its cookie. */
  begin(member: Member, device: string): Promise<string>;
  /** Whose log-in a request carries. Rejects where that cannot be told. */
  memberOf(request: IncomingMessage): Promise<Member | undefined>;
  /** The id of the log-in that a request carries. */
  idOf(request: IncomingMessage): Promise<string | undefined>;
  /** The log-ins of a member that have not ended. */
  listOf(member: Member): Promise<readonly LogIn[]>;
  /** Ends the log-in that a request carries. */
  end(request: IncomingMessage): Promise<void>;
  /** Ends one of a member's log-ins; `false` where `id` is none of theirs. */
  endOneOf(member: Member, id: string): Promise<boolean>;
  endAllOf(member: Member): Promise<void>;
}
