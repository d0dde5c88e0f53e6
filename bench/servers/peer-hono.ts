// The same work with Hono on Node: a middleware refuses, and each connection's events close over the user.
import type { Server } from 'node:http';
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server';
import { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { userOfCookie } from './users-by-digest.js';

const app = new Hono<{ Variables: { user: BenchUser } }>();
app.get(
  '/',
  async (context, next) => {
    const user = await userOfCookie(context.req.header('cookie'));
    if (user === undefined) return context.body(null, 401);
    context.set('user', user);
    await next();
    return undefined;
  },
  upgradeWebSocket((context) => {
    const user = context.get('user') as BenchUser;
    let count = 0;
    return {
      onMessage(event, socket) {
        const { text } = JSON.parse(event.data as string) as { text: string };
        count += 1;
        socket.send(JSON.stringify({ user: user.name, count, text }));
      },
    };
  }),
);
const webSockets = new WebSocketServer({ noServer: true, clientTracking: false });
// Hono's types of what it takes do not know of exactOptionalPropertyTypes.
type HonoWebSockets = NonNullable<Parameters<typeof createAdaptorServer>[0]['websocket']>['server'];
const server = createAdaptorServer({ fetch: app.fetch, websocket: { server: webSockets as unknown as HonoWebSockets } }) as Server;
serve(server);
