import {
  type ChannelServer,
  type DependencyContainer,
  HTTP_SESSION_READER,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  type TokenIssuer,
  type TokenRepository,
  USER_REPOSITORY,
  type UserRepository,
} from 'ws-with';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { demoUsers } from './accounts.js';
import { type EventLog, MemoryEventLog } from './event-log.js';
import type { HttpSessions } from './http-sessions.js';
import { logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';
import { MemoryHttpSessions } from './memory-http-sessions.js';
import type { Rooms } from './rooms.js';

/** What is told of what happens. */
export interface Followed {
  readonly rooms: Rooms;
  /** The live channels of this process. */
  readonly channels: ChannelServer['channels'];
}

/** Where the chat keeps what it must remember. */
export interface Backend {
  readonly tokens: TokenRepository<Member> & TokenIssuer;
  readonly users: UserRepository<Member>;
  /** The sessions of the site. */
  readonly httpSessions: HttpSessions;
  readonly log: EventLog;
  /** Begins to tell this process what happens, here and elsewhere; resolves once it misses nothing any more. */
  follow(chat: Followed): Promise<void>;
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
  const log = new MemoryEventLog();
  container.register(USER_REPOSITORY, { useValue: users });
  container.register(TOKEN_REPOSITORY, { useValue: tokens });
  container.register(HTTP_SESSION_READER, { useValue: httpSessions });
  // Channel sessions: the rooms that members are in.
  container.registerSingleton(SESSION_STORE, MemorySessionStore);
  return {
    tokens,
    users,
    httpSessions,
    log,
    async follow({ rooms }) {
      log.onEvent = (event) => rooms.happened(event);
    },
    async close() {},
  };
}
