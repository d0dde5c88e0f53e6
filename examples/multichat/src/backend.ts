import type { SessionStore, TokenIssuer, TokenRepository, UserRepository } from 'ws-with';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import type { Member } from './member.js';
import { MemoryMessageLog, type MessageLog } from './message-log.js';

/** Where the chat keeps what it must remember. */
export interface Backend {
  readonly users: UserRepository<Member>;
  readonly tokens: TokenRepository<Member> & TokenIssuer;
  /** Channel sessions: the rooms that members are in. */
  readonly sessions: SessionStore;
  readonly log: MessageLog;
}

/** Everything in this process, and gone with it. */
export function memoryBackend(members: readonly Member[]): Backend {
  const users = new MemoryUserRepository(members);
  return { users, tokens: new MemoryTokenRepository({ users }), sessions: new MemorySessionStore(), log: new MemoryMessageLog() };
}
