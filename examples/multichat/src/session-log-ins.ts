import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { type Channel, fromHttpSession, identifyUser, type UserRepository } from 'ws-with';
import type { MemoryHttpSessionReader } from 'ws-with/memory';
import { closeLoggedOut, type LogIns } from './log-ins.js';
import type { Member } from './member.js';

/** A log-in is an HTTP session of the site, whose id travels in the cookie `sessionid`. */
export class SessionLogIns implements LogIns {
  readonly cookie = 'sessionid';
  readonly #sessions: MemoryHttpSessionReader;
  readonly #users: UserRepository<Member>;
  readonly #opened = new Map<string, Set<Channel>>();

  constructor(sessions: MemoryHttpSessionReader, users: UserRepository<Member>) {
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
    this.#sessions.destroy(session.id);
    closeLoggedOut(this.#opened.get(session.id) ?? []);
  }

  opened(request: IncomingMessage, channel: Channel): void {
    const id = parseCookie(request.headers.cookie ?? '')[this.cookie];
    if (id === undefined) return;
    const channels = this.#opened.get(id) ?? new Set();
    this.#opened.set(id, channels.add(channel));
    channel.signal.addEventListener('abort', () => {
      channels.delete(channel);
      if (channels.size === 0) this.#opened.delete(id);
    });
  }
}
