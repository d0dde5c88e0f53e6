// Sessions of users, in a store of this process.
import { MemorySessionStore } from 'ws-with/memory';
import { serveSessionsIn } from './session-in-store.js';

serveSessionsIn(new MemorySessionStore());
