import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import {
  authorization,
  ChannelServer,
  cookie,
  DenyConnection,
  fromHttpSession,
  fromToken,
  type Message,
  query,
  subprotocol,
  withUserFrom,
} from '../../../entries/index.js';
import { eventually } from '../../support/eventually.js';
import { listen } from '../../support/http-server.js';
import { aliceKey, bobKey, expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();
/** All that a log could make of `value`, whatever it reaches. */
function everythingOf(value: unknown): string {
  const all = [inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null })];
  try {
    all.push(JSON.stringify(value) ?? '');
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a cycle
  }
  return all.join('\n');
}

describe('what a server on real sockets shows of its clients', () => {
  it('holds no key, cookie or session id, wherever they travel, nor do its errors and warnings', async () => {
    const site = makeSite();
    const ids: string[] = [];
    const create = site.store.create.bind(site.store);
    vi.spyOn(site.store, 'create').mockImplementation((id, session) => {
      ids.push(id);
      return create(id, session);
    });
    const written = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log'), vi.spyOn(process, 'emitWarning')];
    for (const spy of written) spy.mockImplementation(() => undefined as never);
    const from = [cookie(), authorization(), subprotocol('token.'), query('token')];
    const wrap = withUserFrom(fromToken({ tokens: site.tokens, from }), fromHttpSession({ sessions: site.sessions, users: site.users }));
    const shown: string[] = [];
    const note = (message: Message): void => {
      shown.push(everythingOf(message), everythingOf(message.channel), everythingOf(message.authentication));
      if (message.kind !== 'connect') shown.push(everythingOf(message.request));
    };
    const connect = wrap((message) => {
      message.channelSession.set('seen', true);
      shown.push(everythingOf(message.channelSession));
      note(message as unknown as Message);
      if (message.request.url === '/deny') throw new DenyConnection();
    });
    const receive = wrap((message) => {
      note(message as unknown as Message);
      throw new Error('boom');
    });
    const disconnect = (message: Message): void => note(message);
    const { server, port } = await listen();
    const channels = new ChannelServer({ connect, receive, disconnect } as never, {
      clock: site.clock,
      session: { store: site.store, scope: 'client' },
    });
    channels.handleUpgrades(server);
    const sessionid = site.sessions.create('bob');
    const clients = await Promise.all([
      WsClient.connect(port, { cookie: `key=${aliceKey}; other=cookie-of-another-kind` }),
      WsClient.connect(port, { headers: { authorization: `Token ${bobKey}` } }),
      WsClient.connect(port, { protocols: ['chat', `token.${aliceKey}`] }),
      WsClient.connect(port, { path: `/?token=${bobKey}` }),
      WsClient.connect(port, { cookie: `sessionid=${sessionid}` }),
      WsClient.connect(port, { path: '/deny', cookie: `key=${aliceKey}` }),
      WsClient.connect(port, { cookie: `key=${aliceKey}`, origin: 'https://evil.example' }),
    ]);
    expect(clients.map(({ refused }) => refused?.status)).toEqual([undefined, undefined, undefined, undefined, undefined, 403, 403]);
    shown.push(everythingOf(channels), everythingOf(channels.channels), everythingOf([...channels.channels]));
    for (const client of clients.slice(0, 5)) client.send('x');
    for (const client of clients.slice(0, 5)) expect((await client.closed()).code).toBe(1011);
    await eventually(() => expect(shown.filter((text) => text.includes('disconnect message')).length).toBeGreaterThanOrEqual(5));
    shown.push(...written.map((spy) => everythingOf(spy.mock.calls)));
    shown.push(...clients.map(({ refused }) => everythingOf(refused)));
    const text = shown.join('\n');
    expect(ids.length).toBeGreaterThan(0);
    expect(text).toContain('boom');
    expect(text).toContain('evil.example');
    for (const secret of [aliceKey, bobKey, sessionid, 'cookie-of-another-kind', ...ids]) expect(text).not.toContain(secret);
  });
});
