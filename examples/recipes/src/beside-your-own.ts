import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

export const statistics = { connections: 0, bytes: 0 };
export const server = createServer();
const wss = new WebSocketServer({ server });

// #region ws-with
const channels = new ChannelServer({
  connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id }))),
  receive: withChannelUser((message) => message.channel.sendJson({ from: message.user.id, text: message.text })),
});
// #endregion

wss.on('connection', (socket, request) => {
  statistics.connections += 1;
  socket.on('message', (data: Buffer) => {
    statistics.bytes += data.length;
  });
  // #region ws-with
  channels.accept(socket, request);
  // #endregion
});
