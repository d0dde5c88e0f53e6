// The room as a group of two processes over Redis, at the URL that is given.
import { Redis } from 'ioredis';
import { Groups } from 'ws-with';
import { RedisBroadcaster } from 'ws-with/redis';
import { serveRoom } from './room.js';

const groups = new Groups({ broadcaster: new RedisBroadcaster(new Redis(process.argv[2] as string)) });
await groups.ready;
serveRoom(groups);
