import {
  type Broadcaster,
  type DependencyContainer,
  HTTP_SESSION_READER,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  type TokenIssuer,
  type TokenRepository,
  USER_REPOSITORY,
} from 'ws-with';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { demoUsers } from './accounts.js';
import type { HttpSessions } from './http-sessions.js';
import { logInTtlMs } from './log-ins.js';
import type { Member, MemberRepository } from './member.js';
import { MemoryHttpSessions } from './memory-http-sessions.js';
import { MemoryMessageLog, type MessageLog } from './message-log.js';

/** Where the chat keeps what it must remember. */
export interface Backend {
  readonly tokens: TokenRepository<Member> & TokenIssuer;
  readonly users: MemberRepository;
  /** The sessions of the site. */
  readonly httpSessions: HttpSessions;
  readonly log: MessageLog;
  /** Carries what is said to the other processes; absent where there are none. */
  readonly broadcaster?: Broadcaster | undefined;
  /** Ends it, once the channels are closed. */
  close(): Promise<void>;
}

/** Opens a backend, and registers in `container` what the wrappers and the server look for there. */
export type OpenBackend = (container: DependencyContainer) => Promise<Backend>;

/** Everything in this process, and gone with it. */
export async function memoryBackend(container: DependencyContainer): Promise<Backend> {
  const users = new MemoryUserRepository(demoUsers.map(({ member }) => member));
  const tokens = new MemoryTokenRepository({ users });
  const httpSessions = new MemoryHttpSessions({ cookie: 'sessionid', ttlMs: logInTtlMs });
  container.register(USER_REPOSITORY, { useValue: users });
  container.register(TOKEN_REPOSITORY, { useValue: tokens });
  container.register(HTTP_SESSION_READER, { useValue: httpSessions });
  // Channel sessions: the rooms that members are in.
  container.registerSingleton(SESSION_STORE, MemorySessionStore);
  return { tokens, users, httpSessions, log: new MemoryMessageLog(), async close() {} };
}
