// The same room as a group.
import { createServer } from 'node:http';
import { ChannelServer, Groups, withChannelUser, withUserFromToken } from 'ws-with';
import { serve } from './serve.js';
import { tokensInMemory } from './tokens-in-memory.js';

const groups = new Groups();
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
serve(server);
