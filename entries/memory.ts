export { MemoryBroadcaster, type MemoryBroadcasterOptions } from '../adapters/memory/memory-broadcaster.js';
export { MemoryHttpSessionReader, type MemoryHttpSessionReaderOptions } from '../adapters/memory/memory-http-session-reader.js';
export { MemoryTicketStore, type MemoryTicketStoreOptions } from '../adapters/memory/memory-ticket-store.js';
export type { AddTokenOptions } from '../adapters/memory/memory-token.js';
export { MemoryTokenRepository, type MemoryTokenRepositoryOptions } from '../adapters/memory/memory-token-repository.js';
export { MemoryUserRepository } from '../adapters/memory/memory-user-repository.js';
export { MemoryRevocationFeed } from '../src/feeds/memory-revocation-feed.js';
export { MemorySessionStore, type MemorySessionStoreOptions } from '../src/session/memory-session-store.js';
