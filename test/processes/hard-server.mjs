// A server that is a process of its own, so that what would end a process does. It does what its clients say, and answers its parent's questions.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { ChannelServer, withChannelSession } from 'ws-with';

const boom = () => {
  throw new Error('boom');
};

/** @returns {any} a promise, though nobody asked for one */
const rejected = () => Promise.reject(new Error('boom'));

/** What lets go on each handler that hangs. */
const releases = [];

/** Ways to fail that end a process where nobody is there to catch them. */
const deeds = {
  throw: boom,
  reject: rejected,
  'reject later': async () => {
    await new Promise((resolve) => setImmediate(resolve));
    boom();
  },
  'throw nothing': () => {
    throw undefined;
  },
  'throw what cannot be read': () => {
    throw new Proxy({}, { get: boom, getPrototypeOf: boom, has: boom, ownKeys: boom });
  },
  thenable: () => Object.fromEntries([['then', (_done, failed) => failed(new Error('boom'))]]),
  'set what is no JSON': (message) => message.channelSession.set('x', () => {}),
  'bad close': (message) => message.channel.close(1005),
  hang: () => new Promise((resolve) => releases.push(resolve)),
  flood: ({ channel }) => {
    const megabyte = Buffer.alloc(1_048_576, 1);
    const timer = setInterval(() => {
      for (let count = 0; count < 4; count += 1) channel.send(megabyte);
    });
    channel.signal.addEventListener('abort', () => clearInterval(timer));
  },
  echo: ({ channel }) => void channel.send('alive'),
};

const perform = (message, deed) => (deeds[deed] ?? deeds.echo)(message);
const channels = new ChannelServer(
  {
    connect: withChannelSession((message) => perform(message, message.request.headers['x-connect'] ?? 'nothing')),
    receive: withChannelSession((message) => perform(message, message.text)),
    disconnect: withChannelSession((message) => perform(message, message.request.headers['x-disconnect'] ?? 'nothing')),
  },
  { onError: boom, onWarning: rejected, onEvent: boom, connectTimeoutMs: 2_000 },
);
const [upgrading, accepting] = [createServer(), createServer()];
channels.handleUpgrades(upgrading);
new WebSocketServer({ server: accepting, clientTracking: false }).on('connection', channels.accept);

const ports = [];
for (const server of [upgrading, accepting]) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ports.push(server.address().port);
}

process.on('message', (question) => {
  globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  if (question === 'state') process.send({ size: channels.channels.size, rss, heapUsed, external, arrayBuffers });
  if (question === 'go on') for (const release of releases) release();
  if (question === 'close') void channels.close({ timeoutMs: 10 }).then(() => process.exit(0));
});
process.send({ ports });
