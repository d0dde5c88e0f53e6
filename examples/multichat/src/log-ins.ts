import type { Request, RequestHandler, Response } from 'express';
import type { Member } from './member.js';

/** How long a log-in lasts: a week, in milliseconds. */
export const logInTtlMs: number = 7 * 24 * 60 * 60 * 1000;

/** One of a member's log-ins. */
export interface LogIn {
  /** Tells it from others. It is a digest: nobody gets in with it. */
  readonly id: string;
  /** Whether the request that asks carries it. */
  readonly isThis: boolean;
  /** What was logged in with, as a person would call it. */
  readonly device: string;
  readonly createdAt: Date;
  /** When a channel or a page was last opened with it; where that is not kept, absent. */
  readonly lastUsedAt?: Date | undefined;
  /** Ends it, and its channels on every process. */
  end(): Promise<unknown>;
}

/** What logging in and out means. There is one for tokens and one for HTTP sessions. */
export interface LogIns {
  /** What runs before the routes of the site. */
  readonly middleware: readonly RequestHandler[];
  /** Begins a log-in in place of the one that the request carries. */
  begin(request: Request, response: Response, member: Member): Promise<void>;
  /** The log-ins of a member that have not ended, for a request of theirs. */
  listOf(member: Member, request: Request): Promise<readonly LogIn[]>;
  /** Ends the log-in that a request carries. */
  end(request: Request, response: Response): Promise<void>;
}
