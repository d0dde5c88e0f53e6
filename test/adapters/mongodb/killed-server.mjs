// A server on MongoDB that is a process of its own, to be killed.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { MongoClient } from 'mongodb';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { MongoSessionStore, MongoTokenRepository } from 'ws-with/mongodb';

const [url, name] = process.argv.slice(2);
const timeoutMs = 20_000; // the machine may be busy
const db = (await MongoClient.connect(url)).db(name);
const channels = new ChannelServer(
  {
    connect: withUserFromToken({ tokens: new MongoTokenRepository(db, { timeoutMs }) })(
      withAuthenticatedUser((message) => message.channel.sendJson(message.channelSession.get('count') ?? 0)),
    ),
    receive: withChannelUser((message) => {
      message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
      message.channel.sendJson(message.channelSession.get('count'));
    }),
  },
  { session: { scope: 'client', store: new MongoSessionStore(db, { timeoutMs }) }, connectTimeoutMs: 60_000 },
);
const http = createServer();
channels.handleUpgrades(http);
await once(http.listen(0, '127.0.0.1'), 'listening');
process.send(http.address().port);
