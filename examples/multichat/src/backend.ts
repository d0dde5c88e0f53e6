import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { MemoryStore, type SessionData } from 'express-session';
import {
  type Broadcaster,
  type DependencyContainer,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  type TokenIssuer,
  type TokenRepository,
  USER_REPOSITORY,
} from 'ws-with';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { demoUsers } from './accounts.js';
import type { Member, MemberRepository } from './member.js';
import { MemoryMessageLog, type MessageLog } from './message-log.js';
import type { SiteSessions } from './session-log-ins.js';

/** Where the chat keeps what it must remember. */
export interface Backend {
  readonly tokens: TokenRepository<Member> & TokenIssuer;
  readonly users: MemberRepository;
  /** The sessions of the site, for `--auth=session`. */
  readonly sessions: SiteSessions;
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
  container.registerInstance(USER_REPOSITORY, users);
  container.registerInstance(TOKEN_REPOSITORY, tokens);
  // channel sessions: the rooms that members are in
  container.registerSingleton(SESSION_STORE, MemorySessionStore);
  return { tokens, users, sessions: memorySessions(), log: new MemoryMessageLog(), async close() {} };
}

function memorySessions(): SiteSessions {
  const store = new MemoryStore();
  const all = promisify(store.all.bind(store)) as () => Promise<Record<string, SessionData>>;
  const of = async (userId: string) => new Map(Object.entries(await all()).filter(([, session]) => session.userId === userId));
  return { store, secret: randomBytes(32).toString('hex'), of };
}
