import type { IncomingMessage } from 'node:http';
import { fromHttpSession, identifyUser, type UserRepository } from 'ws-with';
import { digestOf, type HttpSessions } from './http-sessions.js';
import type { LogIn, LogIns } from './log-ins.js';
import type { Member } from './member.js';

/** One of a member's sessions, by its own id and by what it is called on the page. */
interface OwnSession extends LogIn {
  readonly sessionId: string;
}

/** A log-in is an HTTP session of the site, whose cookie is `sessionid`. */
export class SessionLogIns implements LogIns {
  readonly cookie = 'sessionid';
  readonly #sessions: HttpSessions;
  readonly #users: UserRepository<Member>;

  constructor(sessions: HttpSessions, users: UserRepository<Member>) {
    this.#sessions = sessions;
    this.#users = users;
  }

  async begin(member: Member, device: string): Promise<string> {
    return this.#sessions.create(member.id, { device, createdAt: new Date().toISOString() });
  }

  async memberOf(request: IncomingMessage): Promise<Member | undefined> {
    const { user } = await identifyUser(request, { sources: [fromHttpSession({ sessions: this.#sessions, users: this.#users })] });
    return user.isAuthenticated ? user : undefined;
  }

  async idOf(request: IncomingMessage): Promise<string | undefined> {
    const session = await this.#sessions.read(request);
    return session?.id === undefined ? undefined : digestOf(session.id);
  }

  async listOf(member: Member): Promise<readonly LogIn[]> {
    const sessions = await this.#ownOf(member);
    return sessions.map(({ id, device, createdAt }) => ({ id, device, createdAt }));
  }

  async end(request: IncomingMessage): Promise<void> {
    const session = await this.#sessions.read(request);
    if (session?.id !== undefined) await this.#sessions.destroy(session.id);
  }

  async endOneOf(member: Member, id: string): Promise<boolean> {
    const session = (await this.#ownOf(member)).find((own) => own.id === id);
    return session !== undefined && this.#sessions.destroy(session.sessionId);
  }

  async endAllOf(member: Member): Promise<void> {
    for (const { sessionId } of await this.#ownOf(member)) await this.#sessions.destroy(sessionId);
  }

  async #ownOf(member: Member): Promise<readonly OwnSession[]> {
    const sessions = await this.#sessions.listOf(member.id);
    return sessions
      .flatMap(({ id: sessionId, data: { device, createdAt } }): OwnSession[] =>
        sessionId === undefined
          ? []
          : [{ sessionId, id: digestOf(sessionId), device: String(device), createdAt: new Date(String(createdAt)) }],
      )
      .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }
}
