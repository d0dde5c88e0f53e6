import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

const app = new Hono();
app.get('/', (context) => context.text('the site'));
export const server = createServer(getRequestListener(app.fetch));

// #region ws-with
export const channels = new ChannelServer({
  connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id }))),
  receive: withChannelUser((message) => message.channel.sendJson({ from: message.user.id, text: message.text })),
});
channels.handleUpgrades(server, { path: '/chat' });
// #endregion
