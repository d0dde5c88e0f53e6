import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  type BaseMessage,
  ChannelServer,
  cookie,
  type HasUser,
  subprotocol,
  type UpgradeOptions,
  withUserFromToken,
} from '../../../entries/index.js';
import { eventually } from '../../support/eventually.js';
import { frameOf } from '../../support/frames.js';
import { listen } from '../../support/http-server.js';
import { opcodes, RawClient } from '../../support/raw-client.js';
import { aliceKey, bobKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** A server that reads tokens from subprotocols and cookies. */
async function serve(upgrades?: UpgradeOptions) {
  const site = makeSite();
  const { server, port } = await listen();
  const from = [subprotocol('token.'), cookie()];
  const connect = withUserFromToken({ tokens: site.tokens, from })((message: BaseMessage & HasUser) => {
    message.channel.sendJson(message.user.id);
  });
  const closed: unknown[] = [];
  const disconnect = (message: { code: number }): unknown => closed.push(message.code);
  const channels = new ChannelServer({ connect, disconnect }, site.options);
  channels.handleUpgrades(server, upgrades);
  return { ...site, channels, server, port, closed };
}

const answerTo = async (port: number, offer: string): Promise<string> =>
  (await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': offer } })).answer();

class Unbuildable extends WebSocket {
  constructor(...given: ConstructorParameters<typeof WebSocket>) {
    super(...given);
    throw new Error('not to be built');
  }
}

describe('a token in a subprotocol', () => {
  it('identifies, and the protocol beside it is agreed on; the answer never holds it', async () => {
    const { port } = await serve();
    for (const offer of [`chat, token.${aliceKey}`, `token.${aliceKey}, chat`]) {
      const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': offer } });
      const answer = await client.answer();
      expect(answer).toMatch(/^HTTP\/1\.1 101[\s\S]*Sec-WebSocket-Protocol: chat\r\n/);
      expect(answer).not.toContain(aliceKey);
      expect(String((await client.nextFrame()).payload)).toBe('"alice"');
    }
  });

  it('alone is refused with 400, and no repository is asked', async () => {
    const { port, lookUps, channels } = await serve();
    const answer = await answerTo(port, `token.${aliceKey}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain(aliceKey);
    expect(lookUps).toEqual([]);
    expect(channels.channels.size).toBe(0);
  });

  it('twice is refused, and never echoed', async () => {
    const { port, lookUps } = await serve();
    for (const offer of [`token.${aliceKey}, token.${aliceKey}`, `token.${aliceKey}, token.${bobKey}`]) {
      const answer = await answerTo(port, offer);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).not.toContain('token.');
    }
    expect(lookUps).toEqual([]);
  });

  it('whose prefix the client wrote in another case identifies nobody, and is never echoed', async () => {
    const { port, lookUps } = await serve();
    for (const offer of [`Token.${aliceKey}`, `TOKEN.${aliceKey}, token.${bobKey}`]) {
      expect(await answerTo(port, offer)).toMatch(/^HTTP\/1\.1 400 /);
    }
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': `Token.${aliceKey}, chat` } });
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 101[\s\S]*Sec-WebSocket-Protocol: chat\r\n/);
    expect(String((await client.nextFrame()).payload)).toBe('null');
    expect(lookUps).toEqual([]);
  });

  it('that differs from another beside a real protocol is malformed, and neither is echoed', async () => {
    const { port, lookUps } = await serve();
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': `chat, token.${aliceKey}, token.${bobKey}` } });
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 101[\s\S]*Sec-WebSocket-Protocol: chat\r\n/);
    expect(String((await client.nextFrame()).payload)).toBe('null');
    expect(lookUps).toEqual([]);
  });

  it('is not echoed either where the application’s handleProtocols would', async () => {
    const seen: string[][] = [];
    const { port } = await serve({
      ws: {
        handleProtocols: (offers) => {
          seen.push([...offers]);
          return `token.${aliceKey}`;
        },
      },
    });
    const answer = await answerTo(port, `chat, token.${aliceKey}`);
    expect(answer).toMatch(/^HTTP\/1\.1 101/);
    expect(answer).not.toContain('Sec-WebSocket-Protocol');
    expect(seen).toEqual([['chat']]);
  });

  it('makes attach throw where ws would echo it, and accept report it once', async () => {
    const { channels, warnings } = await serve();
    const error = thrownBy(() => channels.attach(new WebSocketServer({ noServer: true })));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('handleProtocols');
    expect(() => channels.attach(new WebSocketServer({ noServer: true, handleProtocols: () => false }))).not.toThrow();
    expect(warnings).toEqual([]);
    for (let round = 0; round < 2; round += 1) {
      const gone = { send() {}, pause() {}, readyState: 3, OPEN: 1 } as unknown as WebSocket;
      channels.accept(gone, { headers: {} } as never);
    }
    expect(codesOf(warnings)).toEqual(['ERR_SUBPROTOCOL_UNGUARDED']);
  });
});

describe('subprotocols', () => {
  it('are the first that the client offers', async () => {
    const { port } = await serve();
    expect(await answerTo(port, 'one, two')).toContain('Sec-WebSocket-Protocol: one\r\n');
  });

  it('are the first offered of those that the option protocols lists', async () => {
    const { port } = await serve({ protocols: ['two', 'three'] });
    expect(await answerTo(port, 'one, three, two')).toContain('Sec-WebSocket-Protocol: three\r\n');
  });

  it('are none where the client offers none of them, or none at all', async () => {
    const { port } = await serve({ protocols: ['two'] });
    expect(await answerTo(port, 'one')).not.toContain('Sec-WebSocket-Protocol');
    const client = await WsClient.connect(port);
    expect(client.socket.protocol).toBe('');
  });

  it('are what handleProtocols says, of what was offered', async () => {
    const { port } = await serve({ ws: { handleProtocols: (offers) => (offers.has('two') ? 'two' : 'invented') } });
    expect(await answerTo(port, 'one, two')).toContain('Sec-WebSocket-Protocol: two\r\n');
    expect(await answerTo(port, 'one')).not.toContain('Sec-WebSocket-Protocol');
  });
});

describe('options of ws', () => {
  it('reach ws', async () => {
    const { port } = await serve({ ws: { maxPayload: 10 } });
    const client = await WsClient.connect(port);
    client.send('x'.repeat(11));
    expect((await client.closed()).code).toBe(1009);
  });

  it('may compress: what is no compressed text ends its channel with the code that the client gets', async () => {
    const { port, closed } = await serve({ ws: { perMessageDeflate: true } });
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    expect(await client.status()).toBe(101);
    client.write(frameOf({ opcode: opcodes.text, reserved: 4, payload: 'not compressed' }));
    expect(await client.closeCode()).toBe(1007);
    client.finish();
    await client.ended();
    await eventually(() => expect(closed).toEqual([1007]));
  });

  it('may refuse by verifyClient, with its status', async () => {
    const { port, channels } = await serve({ ws: { verifyClient: (_info, done) => done(false, 418, 'Teapot') } });
    const client = await WsClient.connect(port);
    expect(client.refused?.status).toBe(418);
    expect(channels.channels.size).toBe(0);
  });

  const boom = (): never => {
    throw new Error('boom');
  };

  it.each<[string, UpgradeOptions]>([
    ['a verifyClient that throws', { ws: { verifyClient: boom } }],
    ['a verifyClient with a callback that throws', { ws: { verifyClient: (_info, _done) => boom() } }],
    ['a handleProtocols that throws', { ws: { handleProtocols: boom } }],
    [
      'a handleProtocols that throws after a verifyClient that waited',
      { ws: { handleProtocols: boom, verifyClient: (_info, done) => setImmediate(done, true) } },
    ],
  ])('with %s do not end the process: the handshake is refused with 500 and the error reported', async (_name, upgrades) => {
    const { port, channels, errors, clock } = await serve(upgrades);
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    expect(await client.status()).toBe(500);
    await client.ended();
    expect(channels.channels.size).toBe(0);
    expect(errors).toEqual([expect.objectContaining({ message: 'boom' })]);
    expect(clock.pendingTimers).toBe(0);
  });

  const unsendable = {
    get evil(): string {
      return boom();
    },
  };

  it.each<[string, UpgradeOptions]>([
    ['a handleProtocols that gives a promise', { ws: { handleProtocols: (async () => 'chat') as never } }],
    ['a handleProtocols whose promise rejects', { ws: { handleProtocols: (async () => boom()) as never } }],
    ['a WebSocket whose constructor throws', { ws: { WebSocket: Unbuildable as never } }],
    [
      'such a WebSocket after a verifyClient that waited',
      { ws: { WebSocket: Unbuildable as never, verifyClient: (_info, done) => setImmediate(done, true) } },
    ],
    [
      'such a WebSocket after an async verifyClient',
      { ws: { WebSocket: Unbuildable as never, verifyClient: (async () => true) as never } },
    ],
    [
      'a verifyClient that answers, late, what cannot be sent',
      { ws: { verifyClient: (_info, done) => setImmediate(done, false, 401, 'no', unsendable) } },
    ],
  ])('with %s are refused with 500, and the error is reported once', async (_name, upgrades) => {
    const { port, channels, errors, clock } = await serve(upgrades);
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    expect(await client.status()).toBe(500);
    await client.ended();
    expect(channels.channels.size).toBe(0);
    expect(errors).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('with a verifyClient that never answers end at the deadline', async () => {
    const { port, channels, clock } = await serve({ ws: { verifyClient: (_info, _done) => {} } });
    const client = await RawClient.upgrade(port);
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5_000);
    expect(await client.status()).toBe(408);
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
