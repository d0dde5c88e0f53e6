import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { nextTurn } from '../../support/serving.js';
import { expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** Long enough for a handshake to be watched meanwhile. */
async function aWhile(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** How many listeners the raw socket of one connection has, by event. */
async function listenersAfter(upgrade: (server: Server) => void): Promise<Record<string, number>> {
  const { server, port } = await listen();
  upgrade(server);
  const connected = once(server, 'connection');
  const client = await WsClient.connect(port);
  const [raw] = (await connected) as [Socket];
  const counts = Object.fromEntries(raw.eventNames().map((name) => [String(name), raw.listenerCount(name)]));
  client.socket.terminate();
  return counts;
}

const atOnce = (): void => undefined;

it.each<[string, () => void | Promise<void>, UpgradeOptions]>([
  ['at once', atOnce, {}],
  ['after a handler that takes its time', aWhile, {}],
  ['after a verifyClient that takes its time', atOnce, { ws: { verifyClient: (_info, done) => void aWhile().then(() => done(true)) } }],
])('a handshake that is answered %s leaves no listener on the raw socket beside those of ws, but one', async (_, connect, options) => {
  const plain = await listenersAfter((server) => void new WebSocketServer({ server }));
  const ours = await listenersAfter((server) => {
    new ChannelServer({ connect }, makeSite().options).handleUpgrades(server, options);
  });
  expect(ours).toEqual({ ...plain, finish: (plain['finish'] ?? 0) + 1 });
});
