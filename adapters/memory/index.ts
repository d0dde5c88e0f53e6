export { MemorySessionStore, type MemorySessionStoreOptions } from '../../src/session/memory-session-store.js';
export { MemoryHttpSessionReader, type MemoryHttpSessionReaderOptions } from './memory-http-session-reader.js';
export type { AddTokenOptions } from './memory-token.js';
export { MemoryTokenRepository, type MemoryTokenRepositoryOptions } from './memory-token-repository.js';
export { MemoryUserRepository } from './memory-user-repository.js';
