import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { MemoryStore } from 'express-session';
import { Passport } from 'passport';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ExpressSessionReader } from '../../../entries/express.js';
import {
  ChannelServer,
  fromHttpSession,
  fromToken,
  issueTokenHandler,
  revokeTokenHandler,
  withAuthenticatedUser,
  withChannelUser,
  withUserFrom,
  withUserFromHttp,
} from '../../../entries/index.js';
import { MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { listen } from '../../support/http-server.js';
import { alice, expectProcessToLive } from '../../support/site.js';
import { asked, sessionMiddleware } from './express-site.js';

expectProcessToLive();

/** A site on Express and passport where whoever asks for `/login` is alice, and its channels. */
async function openSite() {
  const store = new MemoryStore();
  const passport = new Passport();
  const chain = [sessionMiddleware({ store }), passport.initialize(), passport.session()];
  const app = express();
  for (const middleware of chain) app.use(middleware);
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
  passport.deserializeUser((id, done) => done(null, { id }));
  app.post('/login', (request, response, next) => request.logIn(alice, (error) => (error ? next(error) : response.end())));
  app.post('/logout', (request, response, next) => request.logOut((error) => (error ? next(error) : response.end())));
  const server = createServer(app);
  const wrap = withUserFromHttp({ sessions: new ExpressSessionReader(chain), users: new MemoryUserRepository([alice]) });
  const channels = new ChannelServer({
    connect: wrap(withAuthenticatedUser((message) => void message.channel.sendJson(message.user.id))),
    receive: wrap(withChannelUser((message) => void message.channel.sendJson(message.text))),
  });
  channels.handleUpgrades(server, { path: '/ws' });
  const at = `127.0.0.1:${(await listen(server)).port}`;
  onTestFinished(() => channels.close());
  const post = async (path: string, cookie = ''): Promise<string> => {
    const response = await fetch(`http://${at}${path}`, { method: 'POST', headers: { cookie, connection: 'close' } });
    return response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie;
  };
  return { store, at, post };
}

it('who has logged in on the site is known on its sockets, until the log-out; others are refused', async () => {
  const { store, at, post } = await openSite();
  const cookie = await post('/login');
  const socket = new WebSocket(`ws://${at}/ws`, { headers: { cookie } });
  expect(String((await once(socket, 'message'))[0])).toBe('"alice"');
  socket.send('hello');
  expect(String((await once(socket, 'message'))[0])).toBe('"hello"');
  expect(await asked((done) => store.length(done as never))).toBe(1);

  const stranger = new WebSocket(`ws://${at}/ws`, { headers: { cookie: 'connect.sid=s%3Astranger.signature' } });
  const [, response] = await once(stranger, 'unexpected-response');
  expect(response.statusCode).toBe(401);
  expect(response.headers['set-cookie']).toBeUndefined();
  stranger.on('error', () => {}); // of the handshake that is broken off
  stranger.terminate();

  await post('/logout', cookie);
  const closed = once(socket, 'close');
  socket.send('still there?');
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([3000, 'session ended']);
});

it('a route that has destroyed the session and asks then who is logged in leaves no new one, and sets no cookie of one', async () => {
  const store = new MemoryStore();
  const sessionParser = sessionMiddleware({ store });
  const users = new MemoryUserRepository([alice]);
  const tokens = new MemoryTokenRepository({ users });
  const wrap = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions: new ExpressSessionReader(sessionParser), users }));
  const channels = new ChannelServer({ connect: wrap(() => undefined) }, { onWarning: () => undefined });
  const app = express().use(sessionParser);
  app.post('/login', (request, response) => void response.end(JSON.stringify(Object.assign(request.session, { userId: 'alice' }))));
  app.post('/logout', (request, _response, next) => request.session.destroy(next));
  app.post('/logout', revokeTokenHandler(channels, { tokens, all: true }));
  app.post('/token', (request, _response, next) => request.session.destroy(next), issueTokenHandler(channels, { tokens }));
  const origin = `http://127.0.0.1:${(await listen(createServer(app))).port}`;
  onTestFinished(() => channels.close());
  const post = async (path: string, cookie = '') => {
    const { status, headers } = await fetch(origin + path, { method: 'POST', headers: { origin, cookie, connection: 'close' } });
    return { status, cookies: headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '') };
  };
  for (const [path, status, cookies] of [
    ['/logout', 204, ['key=']],
    ['/token', 401, []],
  ] as const) {
    const [cookie] = (await post('/login')).cookies;
    expect(await post(path, cookie)).toEqual({ status, cookies });
    expect(await asked((done) => store.length(done))).toBe(0);
  }
});
