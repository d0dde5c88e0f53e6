import { MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';

export const users = new MemoryUserRepository([{ id: 'ada', isAuthenticated: true }]);
export const tokens = new MemoryTokenRepository({ users });
tokens.add('4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf', 'ada');
