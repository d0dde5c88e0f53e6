import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

// #region ws-with
const channels = new ChannelServer({
  connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id }))),
  receive: withChannelUser((message) => message.channel.sendJson({ from: message.user.id, text: message.text })),
});
// #endregion

export const app = Fastify();
// #region ws-with
app.addHook('preClose', () => channels.close()); // before the plugin, whose own hook drops every socket
// #endregion
await app.register(websocket);
app.get('/', async () => ({ site: true }));
app.get('/chat', { websocket: true }, (socket, request) => {
  // #region ws-with
  channels.accept(socket, request.raw);
  // #endregion
});
