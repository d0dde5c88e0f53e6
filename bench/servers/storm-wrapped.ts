import { createServer } from 'node:http';
import { ChannelServer, compose, type TokenRepository, withAuthenticatedUser, withUserFromToken } from 'ws-with';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';

/** A server that identifies its clients by `tokens` and tells each its name. */
export function serveStorm(tokens: TokenRepository<BenchUser>, settled?: () => Promise<void>): void {
  const channels = new ChannelServer({
    connect: compose(
      withUserFromToken({ tokens }),
      withAuthenticatedUser,
    )((message) => {
      message.channel.sendJson({ user: (message.user as BenchUser).name });
    }),
  });
  const server = createServer();
  channels.handleUpgrades(server);
  serve(server, settled);
}
