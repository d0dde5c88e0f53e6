// The same work with wrapped handlers.
import { createServer } from 'node:http';
import { ChannelServer, compose, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { tokensInMemory } from './tokens-in-memory.js';

const channels = new ChannelServer({
  connect: compose(withUserFromToken({ tokens: tokensInMemory() }), withAuthenticatedUser)(() => {}),
  receive: withChannelUser<BenchUser>()((message) => {
    const { text } = message.json() as { text: string };
    const { channelSession: session, user } = message;
    const count = ((session.get('count') as number | undefined) ?? 0) + 1;
    session.set('count', count);
    message.channel.sendJson({ user: (user as BenchUser).name, count, text });
  }),
});

const server = createServer();
channels.handleUpgrades(server);
serve(server);
