// The room as a group of two processes over Redis, at the URL that is given.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { ChannelServer, Groups, withChannelUser, withUserFromToken } from 'ws-with';
import { RedisBroadcaster } from 'ws-with/redis';
import { serve } from './serve.js';
import { tokensInMemory } from './tokens-in-memory.js';

const groups = new Groups({ broadcaster: new RedisBroadcaster(new Redis(process.argv[2] as string)) });
const channels = new ChannelServer({
  connect: withUserFromToken({ tokens: tokensInMemory() })(({ channel }) => {
    groups.add('room', channel);
  }),
  receive: withChannelUser((message) => {
    const { text } = message.json() as { text: string };
    groups.sendJson('room', { text });
  }),
});

const server = createServer();
channels.handleUpgrades(server);
await groups.ready;
serve(server);
