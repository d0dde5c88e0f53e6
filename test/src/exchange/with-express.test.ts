import express from 'express';
import { expect, it } from 'vitest';
import { issueTokenHandler, renewTokenHandler, revokeTokenHandler, ticketHandler } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { expectProcessToLive } from '../../support/site.js';
import { makeExchangeSite, serveOverHttp } from './exchanging.js';

expectProcessToLive();

it('an application of Express issues, renews, exchanges and revokes tokens', async () => {
  const site = makeExchangeSite();
  const { channels, tokens, tickets } = site;
  const app = express();
  app.use(express.json());
  app.use((_request, response, next) => {
    response.appendHeader('Set-Cookie', 'other=1');
    next();
  });
  app.post('/token', issueTokenHandler(channels, { tokens }));
  app.post('/token/renew', renewTokenHandler(channels, { tokens, graceMs: 0 }));
  app.use('/token/ticket', ticketHandler(channels, { tickets }));
  app.use('/log-out', revokeTokenHandler(channels, { tokens, all: 'body' }));
  const { ask } = await serveOverHttp(app);

  const issued = await ask({ path: '/token', cookie: site.logIn('bob') });
  expect(issued.cookies.map(({ name }) => name)).toEqual(['other', 'key']);
  const renewed = await ask({ path: '/token/renew', cookie: `key=${issued.cookies[1]?.value}` });
  const cookie = `key=${renewed.cookies[1]?.value}`;
  expect(renewed.status).toBe(200);
  const { ticket } = (await ask({ path: '/token/ticket', cookie })).json as { ticket: string };
  const client = await connectTo(channels, { url: `/?ticket=${ticket}` });
  expect(client.user.id).toBe('bob');
  expect((await ask({ path: '/token/ticket', method: 'GET', cookie })).status).toBe(405);
  const headers = { 'content-type': 'application/json' };
  expect((await ask({ path: '/log-out', cookie, headers, body: '{"all":true}' })).status).toBe(204);
  expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
  expect(await tokens.listOf('bob')).toEqual([]);
});

it.each([
  ['text', express.text({ type: '*/*' })],
  ['bytes', express.raw({ type: '*/*' })],
])('takes a body that a middleware has read as %s for JSON', async (_kind, middleware) => {
  const { channels, tokens } = makeExchangeSite();
  const app = express();
  app.use(middleware);
  app.use('/log-out', revokeTokenHandler(channels, { tokens, all: 'body' }));
  const { ask } = await serveOverHttp(app);
  const [{ key }] = [await tokens.issue('bob'), await tokens.issue('bob')];
  expect((await ask({ path: '/log-out', cookie: `key=${key}`, body: '{"all"' })).status).toBe(400);
  expect((await ask({ path: '/log-out', cookie: `key=${key}`, body: ' '.repeat(2_000) })).status).toBe(413);
  expect(await tokens.listOf('bob')).not.toEqual([]);
  expect((await ask({ path: '/log-out', cookie: `key=${key}`, body: '{"all":true}' })).status).toBe(204);
  expect(await tokens.listOf('bob')).toEqual([]);
});

it('leaves what a middleware before it has answered', async () => {
  const { channels, tokens } = makeExchangeSite();
  const app = express();
  app.use((_request, response, next) => {
    response.status(418).json({ error: 'teapot' });
    next();
  });
  app.use(issueTokenHandler(channels, { tokens }));
  const { ask } = await serveOverHttp(app);
  expect(await ask()).toMatchObject({ status: 418, json: { error: 'teapot' } });
});
