import { createServer } from 'node:http';
import { ChannelServer, type Groups, withChannelUser, withUserFromToken } from 'ws-with';
import { serve } from './serve.js';
import { tokensInMemory } from './tokens-in-memory.js';

/** Serves a room that is a group: what one member says is sent to all. */
export function serveRoom(groups: Groups): void {
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
}
