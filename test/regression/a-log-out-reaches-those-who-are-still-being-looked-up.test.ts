import { expect, it, vi } from 'vitest';
import { ChannelServer, fromHttpSession, fromToken, type Revocation, withUserFrom } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { ScriptedFeed } from '../src/live/watched.js';
import { deferred } from '../support/deferred.js';
import { aliceKey, makeSite } from '../support/site.js';

type Asked = 'tokens.findById' | 'sessions.read' | 'users.findById';

/** A channel of alice whose look-up is under way: what was asked had its answer before the log-out, and gives it afterwards. */
async function connecting(asked: Asked) {
  const { tokens, users, sessions, options } = makeSite();
  const [isAsked, answering] = [deferred(), deferred()];
  const held = async <T>(found: Promise<T>): Promise<T> => {
    const answer = await found;
    isAsked.resolve();
    await answering.promise;
    return answer;
  };
  const slow = <T>(name: Asked, found: Promise<T>): Promise<T> => (name === asked ? held(found) : found);
  const source =
    asked === 'tokens.findById'
      ? fromToken({ tokens: { findById: (id) => slow('tokens.findById', tokens.findById(id)) } })
      : fromHttpSession({
          sessions: {
            read: (request) => slow('sessions.read', sessions.read(request)),
            readById: (id) => sessions.readById(id),
          },
          users: { findById: (id) => slow('users.findById', users.findById(id)) },
        });
  const connect = vi.fn();
  const feed = new ScriptedFeed();
  const server = new ChannelServer({ connect: withUserFrom(source)(connect) }, { ...options, revocations: feed });
  const sessionid = sessions.create('alice');
  const client = connectTo(server, { cookies: { key: aliceKey, sessionid } });
  await isAsked.promise;
  return { server, feed, sessionid, connect, client, answer: () => answering.resolve() };
}

type Connecting = Awaited<ReturnType<typeof connecting>>;
const disconnectUser = ({ server }: Connecting) => server.disconnectUser('alice');
const disconnectHttpSession = ({ server, sessionid }: Connecting) => server.disconnectHttpSession(sessionid);
const told =
  (revocation: (site: Connecting) => Revocation) =>
  async (site: Connecting): Promise<void> =>
    site.feed.tell(revocation(site));
const toldOfUser = told(() => ({ userId: 'alice' }));
const toldOfSession = told(({ sessionid }) => ({ httpSessionId: sessionid }));

it.each([
  ['disconnectUser', 'tokens.findById', disconnectUser],
  ['disconnectUser', 'sessions.read', disconnectUser],
  ['disconnectUser', 'users.findById', disconnectUser],
  ['disconnectHttpSession', 'sessions.read', disconnectHttpSession],
  ['disconnectHttpSession', 'users.findById', disconnectHttpSession],
  ['a revocation of the user', 'tokens.findById', toldOfUser],
  ['a revocation of the user', 'sessions.read', toldOfUser],
  ['a revocation of the HTTP session', 'sessions.read', toldOfSession],
] as const)('%s that comes while %s of a connecting channel is under way reaches it with the answer', async (_what, asked, logOut) => {
  const site = await connecting(asked);
  await logOut(site);
  site.answer();
  expect((await site.client).refusal).toEqual({ status: 401 });
  expect(site.connect).not.toHaveBeenCalled();
  expect(site.server.channels.ofUser('alice')).toEqual([]);
  await site.server.close();
});
