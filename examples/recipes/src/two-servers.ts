import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { ChannelServer, withAuthenticatedUser, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

export const server = createServer();

const ticker = new WebSocketServer({ noServer: true });
ticker.on('connection', (socket) => socket.send('tick'));
server.on('upgrade', (request, socket, head) => {
  if (request.url !== '/ticker') return; // somebody else's
  ticker.handleUpgrade(request, socket, head, (client) => ticker.emit('connection', client, request));
});

// #region ws-with
export const chat = new ChannelServer({
  connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id }))),
});
chat.handleUpgrades(server, { path: '/chat' });

export const rooms = new ChannelServer({
  connect: (message) => message.channel.sendJson({ room: message.request.params['room'] }),
});
rooms.handleUpgrades(server, { path: '/rooms/:room' });
// #endregion
