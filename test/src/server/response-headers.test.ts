import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type ConnectMessage, DenyConnection, type ResponseHeaders } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

/** The answer to a handshake whose connect handler is `connect`. */
async function answerWith(connect: (message: ConnectMessage) => unknown, headers: Record<string, string> = {}) {
  const site = makeSite();
  const { server, port } = await listen();
  new ChannelServer({ connect }, site.options).handleUpgrades(server);
  const client = await RawClient.upgrade(port, { headers });
  return { ...site, client, answer: await client.answer() };
}

/** What `use` makes of the headers of a connect message. */
async function headersAfter(use: (headers: ResponseHeaders) => void): Promise<ResponseHeaders> {
  const messages: ConnectMessage[] = [];
  await connectTo({
    connect: (message) => {
      messages.push(message);
      use(message.responseHeaders);
    },
  });
  return (messages[0] as ConnectMessage).responseHeaders;
}

describe('message.responseHeaders', () => {
  it('go with the 101, Set-Cookie once for each, also after connect has waited', async () => {
    const { answer } = await answerWith(async ({ responseHeaders }) => {
      responseHeaders.append('Set-Cookie', 'a=1; HttpOnly');
      await Promise.resolve();
      responseHeaders.append('set-cookie', 'b=2');
      responseHeaders.set('X-Node', 'one');
      responseHeaders.set('x-node', 'two');
      responseHeaders.set('X-Gone', '1');
      responseHeaders.delete('x-gone');
    });
    const lines = answer.split('\r\n');
    expect(lines[0]).toBe('HTTP/1.1 101 Switching Protocols');
    expect(lines.filter((line) => /^(set-cookie|x-)/i.test(line))).toEqual(['Set-Cookie: a=1; HttpOnly', 'Set-Cookie: b=2', 'x-node: two']);
  });

  it('are none where nobody asked for them, and the answer is whole', async () => {
    const { answer, client } = await answerWith(({ channel }) => channel.send('after'), { 'Sec-WebSocket-Protocol': 'chat' });
    expect(answer).toMatch(/^HTTP\/1\.1 101[\s\S]*Sec-WebSocket-Protocol: chat\r\n\r\n$/);
    expect(String((await client.nextFrame()).payload)).toBe('after');
  });

  it('do not go with a refusal, which is constant', async () => {
    const { answer } = await answerWith(({ responseHeaders }) => {
      responseHeaders.set('X-Secret', '1');
      throw new DenyConnection();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).not.toContain('X-Secret');
  });

  it.each<[string, string]>([
    ['X-A', 'a\r\nSet-Cookie: b=1'],
    ['X-A', 'a\nb'],
    ['X-A', 'a\r'],
    ['X-A', 'a\u0000'],
    ['X-A', 'é'],
    ['X-A\r\nX-B', 'a'],
    ['X A', 'a'],
    ['X-A:', 'a'],
    ['', 'a'],
    ['Sec-WebSocket-Accept', 'a'],
    ['sec-websocket-protocol', 'a'],
    ['SEC-WEBSOCKET-EXTENSIONS', 'a'],
    ['Connection', 'close'],
    ['upgrade', 'h2c'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '5'],
    ['Keep-Alive', 'timeout=5'],
    ['Trailer', 'X-A'],
    ['TE', 'trailers'],
    ['Proxy-Connection', 'close'],
  ])('%j: %j cannot be set or appended', async (name, value) => {
    const headers = await headersAfter((given) => {
      for (const method of ['set', 'append'] as const) {
        const error = thrownBy(() => given[method](name, value));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toContain('message.responseHeaders');
      }
    });
    expect(headers.has(name)).toBe(false);
  });

  it.each([
    [7, 'a'],
    [undefined, 'a'],
    ['X-A', 7],
    ['X-A', undefined],
    ['X-A', null],
    ['X-A', ['a']],
  ])('%j: %j are no strings, and a TypeError', async (name, value) => {
    await headersAfter((given) => {
      expect(thrownBy(() => given.set(name as string, value as string))).toBeInstanceOf(TypeError);
    });
  });

  it('can be read, whatever the case of their names', async () => {
    const headers = await headersAfter((given) => {
      given.append('X-A', '1');
      given.append('x-a', '2');
      given.append('Set-Cookie', 'a=1');
      given.append('Set-Cookie', 'b=2');
    });
    expect(headers.get('x-A')).toBe('1, 2');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([headers.has('X-a'), headers.has('X-B'), headers.get('X-B')]).toEqual([true, false, null]);
    expect(headers.get('__proto__')).toBeNull();
  });

  it('cannot be set once the handshake is answered', async () => {
    const kept: ResponseHeaders[] = [];
    await answerWith(({ responseHeaders }) => {
      responseHeaders.set('X-A', '1');
      kept.push(responseHeaders);
    });
    const [headers] = kept as [ResponseHeaders];
    expect(headers.get('X-A')).toBe('1');
    for (const use of [() => headers.set('X-A', '2'), () => headers.append('X-A', '2'), () => headers.delete('X-A')]) {
      expect(thrownBy(use)).toBeInstanceOf(TypeError);
    }
  });

  it('cannot be set with accept, where ws has answered before connect', async () => {
    const thrown: unknown[] = [];
    const { server, port } = await listen();
    const channels = new ChannelServer(
      {
        connect: ({ responseHeaders, channel }) => {
          thrown.push(thrownBy(() => responseHeaders.set('X-A', '1')));
          channel.send(String(responseHeaders.has('X-A')));
        },
      },
      makeSite().options,
    );
    const webSockets = new WebSocketServer({ server }).on('connection', channels.accept);
    const client = await RawClient.upgrade(port);
    expect(await client.answer()).not.toContain('X-A');
    expect(String((await client.nextFrame()).payload)).toBe('false');
    expect(thrown).toEqual([expect.any(TypeError)]);
    webSockets.close();
  });
});
