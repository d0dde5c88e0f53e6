import { WebSocketServer } from 'ws';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';

const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ada', isAuthenticated: true }]) });
const channels = new ChannelServer({
  connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => void message.channelSession)),
  receive: withChannelUser((message) => void message.channel.send(`hello ${message.user.id}`)),
});
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }).on('connection', channels.accept);
const { key } = await tokens.issue('ada');
server.on('listening', () => console.log(`listening on ${Object(server.address()).port}, key ${key}`));
