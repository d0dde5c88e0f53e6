import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type ChannelServerOptions, type ReceiveMessage } from '../../../entries/index.js';
import type { ChannelHandlers } from '../../../src/server/channel-handlers.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { listen } from '../../support/http-server.js';
import { closeFrame, frame, RawClient } from '../../support/raw-client.js';
import { modes } from '../../support/serving.js';
import { codesOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** A key that both sides share: it needs no certificate (RFC 4279). */
const psk = Buffer.alloc(16, 7);
const shared = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;

/** Serves over TLS; `port` is of a line into it, whose near end speaks none. */
async function serve(mode: (typeof modes)[number], handlers: ChannelHandlers, options: ChannelServerOptions = {}) {
  const site = makeSite();
  const channels = new ChannelServer(handlers, { ...site.options, ...options });
  const https = createServer({ ...shared, pskCallback: () => psk });
  if (mode === 'handleUpgrades') channels.handleUpgrades(https);
  else new WebSocketServer({ server: https, clientTracking: false }).on('connection', channels.accept);
  const { port: target } = await listen(https);
  const line = createTcpServer({ allowHalfOpen: true }, (near) => {
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      ...shared,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
      host: '127.0.0.1',
      port: target,
      allowHalfOpen: true,
    };
    const far = connect(options);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  const { port } = await listen(line);
  return { ...site, channels, port };
}

it.each(modes)('frames that arrive while connect is pending are handled in order, then each by itself (%s)', async (mode) => {
  const gate = deferred();
  const receive = ({ channel, text }: ReceiveMessage): void => void channel.send(text);
  const { port, channels } = await serve(mode, { connect: () => gate.promise, receive });
  const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(index * 200)}`);
  const client = await RawClient.upgrade(port, { head: Buffer.concat(texts.slice(0, 10).map((text) => frame(text))) });
  for (const text of texts.slice(10)) client.write(frame(text));
  await eventually(() => expect(client.socket.bytesWritten).toBeGreaterThan(150_000));
  gate.resolve();
  expect(await client.status()).toBe(101);
  for (const text of [...texts, 'alone']) {
    if (text === 'alone') client.write(frame(text));
    expect(String((await client.nextFrame()).payload)).toBe(text);
  }
  client.write(closeFrame(1000));
  expect(await client.closeCode()).toBe(1000);
  client.finish();
  await eventually(() => expect(channels.channels.size).toBe(0));
});

it.each(modes.flatMap((mode) => (['finish', 'reset'] as const).map((way) => ({ mode, way }))))(
  'a client that leaves while connect is pending aborts its signal ($mode, $way)',
  async ({ mode, way }) => {
    const signals: AbortSignal[] = [];
    const { port } = await serve(mode, {
      connect: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const client = await RawClient.upgrade(port, { head: frame('early') });
    await eventually(() => expect(signals).toHaveLength(1));
    client[way]();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  },
);

it.each(modes)('a client that reads nothing is closed at the bound, and one that reads gets a burst (%s)', async (mode) => {
  const receive = ({ channel }: ReceiveMessage): void => {
    for (let count = 0; count < 2_000; count += 1) channel.send('y'.repeat(1_024));
    channel.send(Buffer.alloc(2 * 1_048_576));
  };
  const { port, channels, warnings, clock } = await serve(mode, { receive });
  const healthy = await WsClient.connect(port);
  healthy.send('go');
  expect(await healthy.take(2_001)).toHaveLength(2_001);
  await healthy.close();
  const slow = await RawClient.connect(port);
  slow.socket.pause();
  const [channel] = await eventually(() => {
    expect(channels.channels.size).toBe(1);
    return [...channels.channels];
  });
  let most = 0;
  for (let sent = 0; sent < 4_000 && channel?.send('z'.repeat(65_536)) === true; sent += 1) {
    most = Math.max(most, channel.socket?.bufferedAmount ?? 0);
    if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(codesOf(warnings)).toEqual(['ERR_SLOW_CONSUMER']);
  expect(most).toBeLessThan(9 * 1_048_576);
  await clock.advance(1_000);
  await eventually(() => expect(channels.channels.size).toBe(0));
});
