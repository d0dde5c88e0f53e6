import type { IncomingMessage } from 'node:http';
import type { Channel, ChannelServer } from 'ws-with';
import type { Member } from './member.js';

/** How long a log-in lasts: a week, in milliseconds. */
export const logInTtlMs: number = 7 * 24 * 60 * 60 * 1000;

/** What logging in and out means. There is one for tokens and one for HTTP sessions. */
export interface LogIns {
  /** Name of the cookie that a log-in lives in. */
  readonly cookie: string;
  /** Begins a log-in; resolves to the value of its cookie. */
  begin(member: Member): Promise<string>;
  /** Whose log-in a request carries. Rejects where that cannot be told. */
  memberOf(request: IncomingMessage): Promise<Member | undefined>;
  /** Ends the log-in that a request carries, and closes the channels that were opened with it. */
  end(request: IncomingMessage, channels: ChannelServer['channels']): Promise<void>;
  /** A channel was opened with the log-in that `request` carries. */
  opened?(request: IncomingMessage, channel: Channel): void;
  /**
   * Closes the channels of a log-in that was ended, maybe by another process.
   *
   * @param id a token's id, or the digest of an HTTP session's.
   */
  ended(id: string, channels: ChannelServer['channels']): void;
  /** Closes all channels whose log-in has ended, for where it is not known which these are. */
  closeEnded(channels: ChannelServer['channels']): Promise<void>;
}

/** Closes channels whose log-in has ended. The page does not come back after this code. */
export function closeLoggedOut(channels: Iterable<Channel>): void {
  for (const channel of [...channels]) channel.close(3000, 'logged out');
}
