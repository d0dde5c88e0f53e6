import { expect, it } from 'vitest';
import { authorization, ChannelServer, defineSource, fromToken, type Revalidate, withUserFrom } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { idOf, inactive, keyOf, revoked, ScriptedFeed, ScriptedTokens, watch } from './watched.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** A server with a source that hangs when it is asked again, of whose users there are forty, and tokens, of which ann has one. */
async function besideHanging(revalidate: Revalidate) {
  const [clock, feed, tokens] = [new TestClock(), new ScriptedFeed(), new ScriptedTokens()];
  const bearer = authorization('Bearer');
  const hanging = defineSource(
    'hanging',
    async (request) => {
      const presented = bearer.find(request);
      if (presented.kind !== 'key') return { outcome: presented.kind };
      return { outcome: 'ok', user: { id: presented.key, isAuthenticated: true } };
    },
    { from: bearer, recheck: never },
  );
  const connect = withUserFrom(hanging, fromToken({ tokens }))(() => undefined);
  const server = new ChannelServer({ connect }, { clock, revocations: feed, revalidate, onError: () => undefined });
  const others = Array.from({ length: 40 }, (_, index) => `other-${String(index).padStart(20, '0')}`);
  for (const name of others) await connectTo(server, { headers: { authorization: `Bearer ${name}` } });
  tokens.put('ann');
  const ann = await connectTo(server, { cookies: { key: keyOf('ann') } });
  const close = async (): Promise<void> => {
    const closed = server.close({ timeoutMs: 0 });
    await clock.advance(30_000);
    await closed;
  };
  return { clock, feed, tokens, others, ann, close };
}

it('a hint at a user does not wait for the look-ups of another source, which hang', async () => {
  const { clock, feed, tokens, others, ann, close } = await besideHanging('connect');
  for (const userId of others) feed.tell({ userId, hint: true });
  await clock.advance(1_000);
  tokens.put('ann', { user: undefined });
  feed.tell({ userId: 'ann', hint: true });
  await clock.advance(0);
  expect(ann.closed).toEqual(inactive);
  await close();
});

it('a sweep comes to a source though that before it has not come to the end of another, which hangs', async () => {
  const { clock, tokens, ann, close } = await besideHanging({ everyMs: 10_000 });
  await clock.advance(15_000);
  tokens.grants.clear();
  await clock.advance(5_000);
  expect(ann.closed).toEqual(revoked);
  await close();
});

it('a hint at a user does not wait until all are looked up one by one, of whom something may have been missed', async () => {
  const [feed, tokens] = [new ScriptedFeed(), new ScriptedTokens(false)];
  const { clock, logIn } = watch({ tokens, revocations: feed, revalidate: 'connect' });
  const names = Array.from({ length: 40 }, (_, index) => `user${index}`);
  const clients = await Promise.all(names.map((name) => logIn(name)));
  const slow = new Set(names.slice(0, 8).map(idOf));
  const findById = tokens.findById.bind(tokens);
  tokens.findById = (id) => (slow.has(id) ? never() : findById(id));
  feed.gap();
  await clock.advance(1_000);
  tokens.put('user39', { user: undefined });
  feed.tell({ userId: 'user39', hint: true });
  await clock.advance(0);
  expect(clients.at(-1)?.closed).toEqual(inactive);
  await clock.advance(30_000);
  expect(clients.filter(({ closed }) => closed !== undefined)).toHaveLength(1);
});
