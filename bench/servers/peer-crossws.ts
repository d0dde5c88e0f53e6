// The same work with crossws: its upgrade hook refuses, and a peer's context carries the user.
import { createServer } from 'node:http';
import crossws from 'crossws/adapters/node';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { userOfCookie } from './users-by-digest.js';

interface Context extends Record<string, unknown> {
  readonly user: BenchUser;
  count: number;
}

const sockets = crossws({
  hooks: {
    async upgrade(request) {
      const user = await userOfCookie(request.headers.get('cookie'));
      if (user === undefined) return new Response(null, { status: 401 });
      return { context: { user, count: 0 } satisfies Context };
    },
    message(peer, message) {
      const context = peer.context as Context;
      const { text } = message.json<{ text: string }>();
      context.count += 1;
      peer.send(JSON.stringify({ user: context.user.name, count: context.count, text }));
    },
  },
});

const server = createServer();
server.on('upgrade', (request, raw, head) => void sockets.handleUpgrade(request, raw, head));
serve(server);
