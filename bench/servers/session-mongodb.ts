// Sessions of users in MongoDB, in a collection of this process's own.
import { randomUUID } from 'node:crypto';
import { MongoSessionStore } from 'ws-with/mongodb';
import { openDatabase } from './database.js';
import { serveSessionsIn } from './session-in-store.js';

serveSessionsIn(new MongoSessionStore(await openDatabase(), { collection: `sessions-${randomUUID()}` }));
