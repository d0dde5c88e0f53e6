import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ExchangeHandler, issueTokenHandler, renewTokenHandler, revokeTokenHandler } from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { codesOf, expectProcessToLive } from '../../support/site.js';
import { makeExchangeSite } from './exchanging.js';

expectProcessToLive();

/** Serves handlers by their paths over HTTP/2; gives a way to post to them. */
async function serve(routes: Readonly<Record<string, ExchangeHandler>>) {
  const server = createServer((request, response) => {
    void routes[request.url]?.(request, response);
  });
  const { port } = await listen(server);
  const authority = `127.0.0.1:${port}`;
  const session = connect(`http://${authority}`);
  onTestFinished(() => session.destroy());
  return async (path: string, headers: OutgoingHttpHeaders, body = '') => {
    const stream = session.request({ ':method': 'POST', ':path': path, origin: `http://${authority}`, ...headers });
    stream.end(body);
    const answered = once(stream, 'response');
    const text = (await stream.setEncoding('utf8').toArray()).join('');
    const [{ ':status': status, 'set-cookie': cookies = [] }] = (await answered) as [IncomingHttpHeaders];
    return { status, json: text === '' ? undefined : (JSON.parse(text) as unknown), cookies };
  };
}

describe('over HTTP/2, whose requests name their host in another way', () => {
  it('the pages of the site issue, renew and revoke tokens', async () => {
    const { tokens, channels, logIn } = makeExchangeSite();
    const post = await serve({
      '/token': issueTokenHandler(channels, { tokens }),
      '/renew': renewTokenHandler(channels, { tokens }),
      '/revoke': revokeTokenHandler(channels, { tokens, all: 'body' }),
    });
    const issued = await post('/token', { cookie: logIn('alice') });
    expect(issued.status).toBe(200);
    const cookie = issued.cookies[0]?.split(';', 1)[0] ?? '';
    const renewed = await post('/renew', { cookie });
    expect(renewed.status).toBe(200);
    const next = renewed.cookies[0]?.split(';', 1)[0] ?? '';
    const revoked = await post('/revoke', { cookie: next, 'content-type': 'application/json' }, '{"all":true}');
    expect(revoked.status).toBe(204);
    expect(await tokens.listOf('alice')).toEqual([]);
  });

  it('a body that somebody else has read and not kept is 500, though nothing tells its length', async () => {
    const { tokens, channels, logIn, errors } = makeExchangeSite();
    const revoke = revokeTokenHandler(channels, { tokens, all: 'body' });
    const post = await serve({
      '/revoke': async (request, response) => {
        await request.toArray();
        await revoke(request, response);
      },
    });
    const { id } = await tokens.issue('alice');
    expect((await post('/revoke', { cookie: logIn('alice') }, '{"all":true}')).status).toBe(500);
    expect(errors).toHaveLength(1);
    expect((await tokens.listOf('alice')).map((token) => token.id)).toContain(id);
    expect((await post('/revoke', { cookie: logIn('alice'), 'content-length': 0 })).status).toBe(204);
  });

  it('pages of other sites are refused', async () => {
    const { tokens, channels, logIn, warnings } = makeExchangeSite();
    const post = await serve({ '/token': issueTokenHandler(channels, { tokens }) });
    const refused = await post('/token', { cookie: logIn('alice'), origin: 'https://evil.example' });
    expect(refused).toMatchObject({ status: 403, json: { error: 'origin_refused' } });
    expect(codesOf(warnings)).toEqual(['ERR_ORIGIN_REFUSED']);
  });

  it('channels.identify finds who sent a request', async () => {
    const { channels, logIn } = makeExchangeSite();
    const found: unknown[] = [];
    const post = await serve({
      '/who': async (request, response) => {
        found.push((await channels.identify(request)).user.id);
        response.end();
      },
    });
    expect((await post('/who', { cookie: logIn('alice') })).status).toBe(200);
    expect(found).toEqual(['alice']);
  });
});
