import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { type Channel, fromHttpSession, identifyUser, type UserRepository } from 'ws-with';
import { digestOf, type HttpSessions } from './http-sessions.js';
import { closeLoggedOut, type LogIns } from './log-ins.js';
import type { Member } from './member.js';

/** The channels that were opened with one HTTP session. */
interface Opened {
  readonly sessionId: string;
  readonly channels: Set<Channel>;
}

/** A log-in is an HTTP session of the site, whose id travels in the cookie `sessionid`. */
export class SessionLogIns implements LogIns {
  readonly cookie = 'sessionid';
  readonly #sessions: HttpSessions;
  readonly #users: UserRepository<Member>;
  /** By the digest of the session's id. */
  readonly #opened = new Map<string, Opened>();

  constructor(sessions: HttpSessions, users: UserRepository<Member>) {
    this.#sessions = sessions;
    this.#users = users;
  }

  async begin(member: Member): Promise<string> {
    return this.#sessions.create(member.id);
  }

  async memberOf(request: IncomingMessage): Promise<Member | undefined> {
    const { user } = await identifyUser(request, { sources: [fromHttpSession({ sessions: this.#sessions, users: this.#users })] });
    return user.isAuthenticated ? user : undefined;
  }

  async end(request: IncomingMessage): Promise<void> {
    const session = await this.#sessions.read(request);
    if (session?.id === undefined) return;
    await this.#sessions.destroy(session.id);
    this.ended(digestOf(session.id));
  }

  opened(request: IncomingMessage, channel: Channel): void {
    const sessionId = parseCookie(request.headers.cookie ?? '')[this.cookie];
    if (sessionId === undefined) return;
    const digest = digestOf(sessionId);
    const { channels } = this.#openedWith(digest, sessionId);
    channels.add(channel);
    channel.signal.addEventListener('abort', () => {
      channels.delete(channel);
      if (channels.size === 0) this.#opened.delete(digest);
    });
  }

  ended(digest: string): void {
    closeLoggedOut(this.#opened.get(digest)?.channels ?? []);
  }

  async closeEnded(): Promise<void> {
    const check = async ([digest, { sessionId }]: [string, Opened]): Promise<void> => {
      if ((await this.#sessions.readById(sessionId)) === undefined) this.ended(digest);
    };
    await Promise.all([...this.#opened].map(check));
  }

  #openedWith(digest: string, sessionId: string): Opened {
    const opened = this.#opened.get(digest) ?? { sessionId, channels: new Set() };
    this.#opened.set(digest, opened);
    return opened;
  }
}
