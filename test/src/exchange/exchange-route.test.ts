import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import {
  type ChannelServerOptions,
  type ExchangeHandler,
  issueTokenHandler,
  renewTokenHandler,
  revokeTokenHandler,
  ticketHandler,
} from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { listen } from '../../support/http-server.js';
import { aliceKey, codesOf, expectProcessToLive } from '../../support/site.js';
import { type ExchangeSite, makeExchangeSite, serveOverHttp } from './exchanging.js';

expectProcessToLive();

const makers: Readonly<Record<string, (site: ExchangeSite) => ExchangeHandler>> = {
  issueTokenHandler: ({ channels, tokens }) => issueTokenHandler(channels, { tokens }),
  renewTokenHandler: ({ channels, tokens }) => renewTokenHandler(channels, { tokens }),
  revokeTokenHandler: ({ channels, tokens }) => revokeTokenHandler(channels, { tokens }),
  ticketHandler: ({ channels, tickets }) => ticketHandler(channels, { tickets }),
};
const handlers = Object.entries(makers);

async function serve(make: (site: ExchangeSite) => ExchangeHandler, options?: ChannelServerOptions) {
  const site = makeExchangeSite(undefined, options);
  /** Cookies that identify for whichever handler. */
  const cookie = `${site.logIn('alice')}; key=${aliceKey}`;
  return { site, cookie, ...(await serveOverHttp(make(site))) };
}

/** Sends `text` and gives all that comes until the server hangs up. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return received;
}

describe.each(handlers)('%s', (name, make) => {
  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses %s, and says which method it takes', async (method) => {
    const { ask, cookie } = await serve(make);
    const { status, json, headers, cookies } = await ask({ method, cookie });
    expect([status, json, cookies]).toEqual([405, { error: 'method_not_allowed' }, []]);
    expect([headers.get('allow'), headers.get('cache-control')]).toEqual(['POST', 'no-store']);
  });

  it.each<[string, readonly unknown[]]>([
    ['a Request of the Fetch API', [new Request('http://127.0.0.1/', { method: 'POST' })]],
    [
      'a Request of the Fetch API beside a response of node:http',
      [new Request('http://127.0.0.1/', { method: 'POST' }), { setHeader: () => undefined }],
    ],
    ['nothing', []],
    ['a request alone, as Koa gives it', [{ method: 'POST', headers: {} }]],
    [
      'an answer of another framework',
      [
        { method: 'POST', headers: {} },
        { header: () => undefined, send: () => undefined },
      ],
    ],
  ])('rejects with a TypeError where it is given %s', async (_what, given) => {
    const handler: (...given: never[]) => Promise<void> = make(makeExchangeSite());
    const rejected = expect(handler(...(given as never[]))).rejects;
    await rejected.toBeInstanceOf(TypeError);
    await rejected.toThrow(new RegExp(`^${name}: re(quest|sponse) must be `));
  });

  it('refuses HEAD without a body', async () => {
    const { ask, cookie } = await serve(make);
    const { status, json, headers } = await ask({ method: 'HEAD', cookie });
    expect([status, json, headers.get('allow')]).toEqual([405, undefined, 'POST']);
  });

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'not an origin'])(
    'refuses a page of %s, asks nobody and tells the operator',
    async (origin) => {
      const { ask, cookie, site } = await serve(make);
      const read = vi.spyOn(site.sessions, 'read');
      expect(await ask({ cookie, origin })).toMatchObject({ status: 403, json: { error: 'origin_refused' }, cookies: [] });
      expect(codesOf(site.warnings)).toEqual(['ERR_ORIGIN_REFUSED']);
      expect([read.mock.calls, site.lookUps]).toEqual([[], []]);
    },
  );

  it('takes pages that the server lists in origins, and its publicOrigin', async () => {
    const { ask, cookie } = await serve(make, { origins: ['https://app.example.com'], publicOrigin: 'https://chat.example.com' });
    expect((await ask({ cookie, origin: 'https://app.example.com' })).status).toBeLessThan(300);
    expect((await ask({ cookie, origin: 'https://chat.example.com' })).status).not.toBe(403);
    expect((await ask({ cookie, origin: 'https://other.example.com' })).status).toBe(403);
  });

  it.each([
    [{}, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ 'sec-fetch-site': 'same-origin' }, true],
  ])('without Origin, takes cookies only where Sec-Fetch-Site says that a page of its own sent them: %j', async (headers, isTaken) => {
    const { ask, cookie, site } = await serve(make);
    const answered = await ask({ cookie, origin: null, headers });
    if (isTaken) expect(answered.status).toBeLessThan(300);
    else {
      expect(answered).toMatchObject({ status: 403, json: { error: 'origin_refused' }, cookies: [] });
      expect(await site.tokens.listOf('alice')).toHaveLength(1);
    }
    expect(codesOf(site.warnings)).toEqual(isTaken ? [] : ['ERR_ORIGIN_REFUSED']);
  });

  it('answers a request of HTTP/1.0, and one with a long body that nobody reads, whose connection ends', async () => {
    const { port, cookie } = await serve(make);
    const head = (version: string, ...more: readonly string[]): string =>
      [`POST / HTTP/${version}`, `Host: 127.0.0.1:${port}`, `Origin: http://127.0.0.1:${port}`, `Cookie: ${cookie}`, ...more, '', ''].join(
        '\r\n',
      );
    expect(await raw(port, head('1.0'))).toMatch(/^HTTP\/1\.1 20[04] .*cache-control: no-store/is);
    const long = await raw(port, `${head('1.1', 'Content-Length: 1000000000')}${'x'.repeat(1_000)}`);
    expect(long).toMatch(/^HTTP\/1\.1 (20[04]|401) .*connection: close/is);
    const unknown = await raw(port, `${head('1.1', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
    expect(unknown).toMatch(/^HTTP\/1\.1 (20[04]|401) .*connection: close/is);
  });

  it('does nothing where somebody else has answered, or the client has gone', async () => {
    const site = makeExchangeSite();
    const read = vi.spyOn(site.sessions, 'read');
    const handle = make(site);
    let handled = 0;
    const { port } = await listen(
      createServer((request, response) => {
        response.end('answered');
        void handle(request, response).then(() => {
          handled += 1;
        });
      }),
    );
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { cookie: site.logIn('alice'), connection: 'close' },
    });
    expect(await response.text()).toBe('answered');
    expect(handled).toBe(1);
    expect([read.mock.calls, site.lookUps]).toEqual([[], []]);
  });

  it('does nothing, and tells of no error, where somebody else answers while it is looked up', async () => {
    const site = makeExchangeSite();
    const handle = make(site);
    const { ask } = await serveOverHttp(async (request: IncomingMessage, response: ServerResponse) => {
      const handled = handle(request, response);
      response.writeHead(504);
      await handled;
      response.end();
    });
    const { status, cookies } = await ask({ cookie: `${site.logIn('alice')}; key=${aliceKey}` });
    expect([status, cookies, site.errors]).toEqual([504, [], []]);
  });

  it('does not reject where the client goes while it is looked up', async () => {
    const site = makeExchangeSite();
    const handle = make(site);
    const [reading, answer, handled] = [deferred(), deferred<undefined>(), deferred()];
    const lookUp = (): Promise<undefined> => {
      reading.resolve();
      return answer.promise;
    };
    vi.spyOn(site.tokens, 'findById').mockImplementation(lookUp);
    vi.spyOn(site.sessions, 'read').mockImplementation(lookUp);
    const { port } = await listen(
      createServer((request, response) => void handle(request, response).then(handled.resolve, handled.reject)),
    );
    const headers = { cookie: `key=${aliceKey}; sessionid=x`, origin: `http://127.0.0.1:${port}` };
    const asking = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers });
    asking.on('error', () => undefined);
    asking.end();
    await reading.promise;
    asking.destroy();
    answer.resolve(undefined);
    await expect(handled.promise).resolves.toBeUndefined();
  });
});
