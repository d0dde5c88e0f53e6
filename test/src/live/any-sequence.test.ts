import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TokenId } from '../../../entries/index.js';
import { channelCounts } from '../../../src/channel-counts.js';
import { expectProcessToLive } from '../../support/site.js';
import { type Act, type Failure, type LogIn, ModelledSite, type Visit } from './modelled-site.js';

expectProcessToLive();

type Step = { readonly turns: number } & (
  | { readonly does: 'messages'; readonly visit: number; readonly acts: readonly Act[] }
  | { readonly does: 'leave'; readonly visit: number; readonly code: number }
  | { readonly does: 'connect' | 'disconnect' | 'log out'; readonly logIn: number }
  | { readonly does: 'extend'; readonly logIn: number; readonly ms: number }
  | { readonly does: 'rotate'; readonly logIn: number; readonly ms: number; readonly graceMs: number }
  | { readonly does: 'delete user' | 'set user' | 'disconnect user' | 'revoke all'; readonly user: string }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'store fails'; readonly when: Failure }
  | { readonly does: 'repositories fail' | 'repositories answer' | 'release' | 'close' }
);

const ttlMs = 60_000;
const turns = fc.nat(4);
const logIn = fc.nat(2);
const visit = fc.nat(5);
const user = fc.constantFrom('ann', 'bob');
const ms = fc.constantFrom(1, 5_000, 30_000, 90_000);
const act = fc.constantFrom<Act>(
  'is quick',
  'is quick',
  'is quick',
  'is slow',
  'is slow',
  'is slow',
  'hangs',
  'throws',
  'throws late',
  'closes its channel',
);
const acts = fc.array(act, { minLength: 1, maxLength: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ turns, does: fc.constant('messages' as const), visit, acts }) },
  { weight: 5, arbitrary: fc.record({ turns, does: fc.constant('connect' as const), logIn }) },
  { weight: 1, arbitrary: fc.record({ turns, does: fc.constant('leave' as const), visit, code: fc.constantFrom(1000, 1001, 1006) }) },
  { weight: 3, arbitrary: fc.record({ turns, does: fc.constantFrom('disconnect' as const, 'log out' as const), logIn }) },
  { weight: 1, arbitrary: fc.record({ turns, does: fc.constant('extend' as const), logIn, ms }) },
  { weight: 3, arbitrary: fc.record({ turns, does: fc.constant('rotate' as const), logIn, ms, graceMs: fc.constantFrom(0, 10_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ turns, does: fc.constantFrom('delete user', 'set user', 'disconnect user', 'revoke all'), user }),
  },
  { weight: 2, arbitrary: fc.record({ turns, does: fc.constant('wait' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ turns, does: fc.constant('store fails' as const), when: fc.constantFrom('before', 'after') }) },
  {
    weight: 1,
    arbitrary: fc.record({ turns, does: fc.constantFrom('repositories fail', 'repositories answer', 'release', 'release', 'close') }),
  },
);
const plan = fc.record({
  delays: fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }),
  early: fc.nat(8),
  steps: fc.array(step, { minLength: 1, maxLength: 20, size: 'max' }),
});

const isOf =
  (name: string) =>
  ({ logIn: { user: id } }: Visit): boolean =>
    id === name;

/** Ends a log-in for good, or the connections that it has now. */
function logOut(site: ModelledSite, login: LogIn, isForGood: boolean): void {
  const id = [...login.ids].at(-1) as TokenId;
  if (isForGood) {
    if (login.isHttp) site.sessions.destroy(id);
    else void site.tokens.revoke(id);
    site.end(login);
    return;
  }
  void (login.isHttp ? site.server.disconnectHttpSession(id) : site.server.disconnectToken(id));
  const ofLogIn = site.visits.filter((one) => one.logIn === login);
  for (const one of ofLogIn) {
    one.mayHaveEnded = true;
    one.mayLiveByFormer = true; // those that were about to go over to this token stay on the former one
  }
  site.putOut((one) => one.logIn === login && (one.channel?.tokenId ?? one.presented) === id);
}

async function rotate(site: ModelledSite, login: LogIn, options: { ttlMs: number; graceMs: number }): Promise<void> {
  if (login.isHttp) return;
  const next = await site.tokens.rotate([...login.ids].at(-1) as TokenId, options);
  if (next === undefined) return;
  login.ids.add(next.id);
  login.cookies = { key: next.key };
  login.endsAt = site.clock.now() + options.ttlMs;
  login.lastEndsAt = Math.max(login.lastEndsAt, login.endsAt);
}

async function extend(site: ModelledSite, login: LogIn, ms: number): Promise<void> {
  if (login.isHttp) return;
  const end = await site.tokens.extend([...login.ids].at(-1) as TokenId, { ttlMs: ms });
  if (end === undefined) return;
  login.endsAt = end.getTime();
  login.lastEndsAt = Math.max(login.lastEndsAt, login.endsAt);
}

function ofUser(site: ModelledSite, does: 'delete user' | 'set user' | 'disconnect user' | 'revoke all', id: string): void {
  if (does === 'set user') {
    site.users.set({ id, isAuthenticated: true });
    site.deletedUsers.delete(id);
  } else if (does === 'revoke all') void site.tokens.revokeAllOf(id);
  else {
    if (does === 'disconnect user') void site.server.disconnectUser(id);
    else if (site.users.delete(id)) site.deletedUsers.add(id);
    else return;
    site.putOut(isOf(id));
  }
}

async function wait(site: ModelledSite, ms: number): Promise<void> {
  await site.settle(); // nobody is to be so slow that time runs out
  await site.clock.advance(ms);
  const now = site.clock.now();
  const isOver = ({ logIn: { endsAt, lastEndsAt }, mayLiveByFormer }: Visit): boolean =>
    now >= (site.hasFailed || mayLiveByFormer ? lastEndsAt : endsAt) + 1_000;
  site.putOut(isOver);
}

function beginToClose(site: ModelledSite): void {
  site.isClosing = true;
  void site.server.close({ timeoutMs: 1_000 });
}

function take(site: ModelledSite, one: Step): Promise<void> | undefined | void {
  const login = 'logIn' in one ? (site.logIns[one.logIn] as LogIn) : undefined;
  if (login !== undefined) {
    if (one.does === 'connect') return site.connect(login);
    if (one.does === 'extend') return extend(site, login, one.ms);
    if (one.does === 'rotate') return rotate(site, login, { ttlMs: one.ms, graceMs: one.graceMs });
    return logOut(site, login, one.does === 'log out');
  }
  if ('user' in one) return ofUser(site, one.does, one.user);
  if ('visit' in one) {
    const found = site.visits[one.visit % site.visits.length] as Visit;
    if (one.does === 'messages') return site.send(found, one.acts);
    return site.leave(found, one.code);
  }
  if (one.does === 'wait') return wait(site, one.ms);
  if (one.does === 'store fails') return site.failStore(one.when);
  if (one.does === 'release') return site.releaseHung();
  if (one.does === 'close') return beginToClose(site);
  return site.failRepositories(one.does === 'repositories fail');
}

/** Who has lost nothing may go on. */
function expectOthersToLive({ visits, clock, isClosing, hasFailed }: ModelledSite): void {
  if (hasFailed || isClosing) return;
  for (const { client, isOut, mayHaveEnded, logIn: own } of visits) {
    if (isOut || mayHaveEnded || client === undefined || own.hasEnded || clock.now() >= own.endsAt) continue;
    expect([client.refusal, client.closed]).toEqual([undefined, undefined]);
  }
}

async function expectSessionsToBeWhole(site: ModelledSite): Promise<void> {
  for (const [name, succeeded] of site.succeeded) {
    const ids = await site.sessionIdsOf(name);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...succeeded]).toEqual(expect.arrayContaining([...ids]));
    if (!site.hasFailed) expect(ids).toEqual(expect.arrayContaining([...succeeded]));
  }
}

/** Closes the server, and lets go on whatever still hangs. */
async function close(site: ModelledSite): Promise<void> {
  const closed = site.server.close({ timeoutMs: 1_000 });
  await site.clock.advance(2_000);
  await closed;
  for (const one of site.visits) one.isOut = true;
  site.releaseHung();
  await site.settle();
}

function expectNothingToBeLeft({ server: { channels }, clock, visits, logIns }: ModelledSite): void {
  expect([channels.size, ...channels, ...channels.ofUser('ann'), ...channels.ofUser('bob')]).toEqual([0]);
  for (const { ids } of logIns) {
    for (const id of ids) expect([...channels.ofToken(id as TokenId), ...channels.ofHttpSession(id)]).toEqual([]);
  }
  expect(clock.pendingTimers).toBe(0);
  for (const { running, disconnects, wasLive } of visits) expect([running, disconnects]).toEqual([0, wasLive ? 1 : disconnects]);
}

async function turn(times: number): Promise<void> {
  for (let left = times; left > 0; left -= 1) await nextTurn();
}

async function run(site: ModelledSite, steps: readonly Step[]): Promise<void> {
  for (const one of steps) {
    await take(site, one);
    await turn(one.turns);
    site.look();
    expect(site.violations).toEqual([]);
  }
  await site.settle();
  site.look();
  expect(site.violations).toEqual([]);
}

it('whatever happens, and in whatever order: messages keep theirs, sessions stay whole, and who is out is out', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ delays, early, steps }) => {
      const before = { ...channelCounts };
      const site = new ModelledSite(delays);
      await site.begin(ttlMs);
      try {
        for (const each of site.logIns) site.connect(each);
        await turn(early);
        await run(site, steps);
        expectOthersToLive(site);
      } finally {
        await close(site);
      }
      expectNothingToBeLeft(site);
      await expectSessionsToBeWhole(site);
      expect(site.violations).toEqual([]);
      expect(channelCounts).toEqual(before);
    }),
    { numRuns: 100 },
  );
});
