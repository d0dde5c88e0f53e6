import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** Does `step` after two turns of the event loop. */
async function turnsLater(step: () => void): Promise<void> {
  await setImmediate();
  await setImmediate();
  step();
}

/** How many listeners the raw socket of one connection has, by event. */
async function listenersAfter(upgrade: (server: Server) => void): Promise<Record<string, number>> {
  const server = createServer();
  const { port } = await listen(server);
  upgrade(server);
  const connected = once(server, 'connection');
  const client = await WsClient.connect(port);
  const [raw] = (await connected) as [Socket];
  const counts = Object.fromEntries(raw.eventNames().map((name) => [String(name), raw.listenerCount(name)]));
  client.socket.terminate();
  return counts;
}

const nothing = (): void => undefined;

it.each<[string, () => unknown, UpgradeOptions]>([
  ['at once', nothing, {}],
  ['after a handler that takes its time', () => turnsLater(nothing), {}],
  ['after a verifyClient that takes its time', nothing, { ws: { verifyClient: (_info, done) => void turnsLater(() => done(true)) } }],
])('a handshake that is answered %s leaves no listener on the raw socket beside those of ws, but one', async (_, connect, options) => {
  const plain = await listenersAfter((server) => void new WebSocketServer({ server }));
  const ours = await listenersAfter((server) => {
    new ChannelServer({ connect: connect as () => void }, makeSite().options).handleUpgrades(server, options);
  });
  expect(ours).toEqual({ ...plain, finish: (plain['finish'] ?? 0) + 1 });
});
