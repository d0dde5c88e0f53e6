// Live channels on MongoDB: whoever sends the id of a token revokes it.
import { createServer } from 'node:http';
import { ChannelServer, compose, container, withAuthenticatedUser, withUserFromToken } from 'ws-with';
import { registerMongo } from 'ws-with/mongodb';
import { openDatabase } from './database.js';
import { serve } from './serve.js';

const { tokens } = registerMongo(container, { db: await openDatabase(), feed: { httpSessions: 'sessions' } });
const channels = new ChannelServer(
  {
    connect: compose(
      withUserFromToken,
      withAuthenticatedUser,
    )((message) => {
      message.channel.sendJson({ user: message.user.id });
    }),
    receive: async (message) => {
      await tokens.revoke(message.text as Parameters<typeof tokens.revoke>[0]);
    },
  },
  { revalidate: { everyMs: 3_600_000 } }, // no sweep but the one that is measured
);
const server = createServer();
channels.handleUpgrades(server);
serve(server, () => tokens.flush());
