import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type ChannelServerOptions, withUserFromToken } from '../../../entries/index.js';
import { eventually } from '../../support/eventually.js';
import { frame, RawClient } from '../../support/raw-client.js';
import { aliceKey, codesOf, makeSite, type Site } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** What frameworks hand over whose tests open sockets without a network: a request of their own, without a connection. */
function withoutSocket({ url, headers }: IncomingMessage): IncomingMessage {
  return { method: 'GET', url, headers: { ...headers, host: 'chat.example' } } as IncomingMessage;
}

/** Serves sockets whose requests have no connection; what its handlers see is in `seen`. */
async function serve(options: ChannelServerOptions, site: Site) {
  const seen: unknown[] = [];
  const channels = new ChannelServer(
    {
      connect: withUserFromToken({ tokens: site.tokens })(({ channel, user }) => void channel.send(`hello ${user.id}`)),
      receive({ channel, request, text }) {
        seen.push(request.address);
        channel.send(text);
        return text === 'slow' ? nextTurn() : undefined;
      },
      disconnect: ({ code, request }) => void seen.push(code, request.address),
    },
    { ...site.options, ...options },
  );
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket, request) => channels.accept(socket, withoutSocket(request)));
  onTestFinished(() => server.close());
  await once(server, 'listening');
  return { channels, seen, port: (server.address() as AddressInfo).port };
}

describe('a request without a connection', () => {
  it.each([{}, { trustProxy: true }, { maxChannelsPerAddress: 1 }])('is served as any other, from no address, with %o', async (options) => {
    const site = makeSite();
    const { channels, seen, port } = await serve(options, site);
    const client = await WsClient.connect(port, { headers: { cookie: `key=${aliceKey}`, origin: 'http://chat.example' } });
    expect(await client.next()).toBe('hello alice');
    client.send('first');
    client.send('second');
    expect([await client.next(), await client.next()]).toEqual(['first', 'second']);
    await site.clock.advance(300_000); // no heartbeat takes it for silent
    client.send('third');
    expect(await client.next()).toBe('third');
    await client.close(4000);
    await eventually(() => expect(channels.channels.size).toBe(0));
    expect(seen).toEqual([undefined, undefined, undefined, 4000, undefined]);
    expect(site.errors).toEqual([]);
  });

  it('has all handled that was read already, as any other, though that is more than may wait', async () => {
    const site = makeSite();
    const { seen, port } = await serve({ maxQueuedMessages: 3 }, site);
    const client = await RawClient.connect(port);
    client.write(Buffer.concat(['slow', ...Array<string>(999).fill('fast')].map((text) => frame(text))));
    await eventually(() => expect(seen).toHaveLength(1_000));
    expect(site.warnings).toEqual([]);
  });

  it('is closed as any other where its peer is too slow, or by the server', async () => {
    const site = makeSite();
    const { channels, port } = await serve({ maxBufferedBytes: 1024 }, site);
    const client = await WsClient.connect(port, { headers: { origin: 'http://chat.example' } });
    expect(await client.next()).toBe('hello null');
    const [channel] = channels.channels;
    while (channel?.send('x'.repeat(60_000)) === true);
    expect(codesOf(site.warnings)).toEqual(['ERR_SLOW_CONSUMER']);
    await eventually(() => expect(channels.channels.size).toBe(0));
    const other = await WsClient.connect(port, { headers: { origin: 'http://chat.example' } });
    expect(await other.next()).toBe('hello null');
    await channels.close();
    expect(await other.closed()).toMatchObject({ code: 1012 });
  });
});
