import { describe, expect, it } from 'vitest';
import { deferred } from '../../support/deferred.js';
import { codesOf } from '../../support/site.js';
import { idOf, revoked, ScriptedTokens, stale, watch } from './watched.js';

describe('a repository that fails', () => {
  it('slowly, one look-up after the other, ends all as soon as one that fails at once', async () => {
    const tokens = new ScriptedTokens(false);
    const { clock, logIn } = watch({ tokens, maxStaleMs: 300_000 });
    const names = Array.from({ length: 800 }, (_, index) => `user${index}`);
    const clients = await Promise.all(names.map((name) => logIn(name)));
    tokens.answers = new Promise(() => undefined);
    const isOpen = (): number => clients.filter(({ closed }) => closed === undefined).length;
    await clock.advance(299_999);
    expect(isOpen()).toBe(names.length);
    for (let minute = 0; minute < 2; minute += 1) await clock.advance(60_000);
    expect([isOpen(), clients[0]?.closed, clients.at(-1)?.closed]).toEqual([0, stale, stale]);
  });

  it('for some goes on to ask for the others', async () => {
    const tokens = new ScriptedTokens(false);
    const { clock, logIn } = watch({ tokens, maxStaleMs: 300_000 });
    const names = Array.from({ length: 40 }, (_, index) => `user${index}`);
    const clients = await Promise.all(names.map((name) => logIn(name)));
    const hanging = new Set(names.slice(0, 16).map(idOf));
    const findById = tokens.findById.bind(tokens);
    tokens.findById = (id) => (hanging.has(id) ? new Promise(() => undefined) : findById(id));
    tokens.asked.length = 0;
    for (let minute = 0; minute < 10; minute += 1) await clock.advance(60_000);
    expect(clients.filter(({ closed }) => closed === undefined).length).toBe(24);
    expect(tokens.asked.length).toBeLessThanOrEqual(10 * 24); // once in each sweep, and no more for the sake of those that hang
  });

  it('ends nobody until maxStaleMs is over, counted from the last answer', async () => {
    const { tokens, clock, errors, logIn } = watch({ maxStaleMs: 300_000 });
    const client = await logIn('ann');
    await clock.advance(60_000);
    tokens.fails(true);
    await clock.advance(299_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    expect(client.closed).toEqual(stale);
    expect(new Set(codesOf(errors))).toEqual(new Set(['ERR_LOOKUP_FAILED']));
  });

  it.each([true, false])('for a moment ends nobody, however long the time between sweeps; in batches: %s', async (isBatched) => {
    const tokens = new ScriptedTokens(isBatched);
    const { clock, logIn } = watch({ tokens, revalidate: { everyMs: 3_600_000 }, maxStaleMs: 900_000 });
    const names = Array.from({ length: 16 }, (_, index) => `user${index}`);
    const clients = await Promise.all(names.map((name) => logIn(name)));
    tokens.fails(true);
    await clock.advance(3_600_000);
    tokens.fails(false);
    for (let minute = 0; minute < 59; minute += 1) await clock.advance(60_000);
    expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([]);
    tokens.fails(true);
    for (let minute = 0; minute < 76; minute += 1) await clock.advance(60_000);
    expect(clients.filter(({ closed }) => closed === undefined)).toEqual([]);
  });

  it('about a hint is asked again, though an answer comes to what was asked before the hint', async () => {
    const { tokens, clock, logIn } = watch();
    const client = await logIn('ann');
    const ann = idOf('ann');
    const before = new Map(tokens.grants);
    const answering = deferred();
    tokens.findByIds = async () => {
      await answering.promise;
      return before;
    };
    await clock.advance(60_000);
    tokens.findByIds = async () => Promise.reject(new Error('the database is gone'));
    tokens.revocations.tell({ userId: 'ann', hint: true });
    await clock.advance(0);
    answering.resolve();
    await clock.advance(0);
    expect(client.closed).toBeUndefined();
    tokens.grants.delete(ann);
    tokens.findByIds = async () => tokens.grants;
    await clock.advance(1_000);
    expect(client.closed).toEqual(revoked);
  });

  it('is asked again soon, and forgotten when it answers', async () => {
    const { tokens, clock, logIn } = watch({ maxStaleMs: 120_000 });
    const client = await logIn('ann');
    tokens.fails(true);
    await clock.advance(60_000);
    tokens.fails(false);
    await clock.advance(1_000);
    tokens.fails(true);
    await clock.advance(119_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    expect(client.closed).toEqual(stale);
  });

  it('ends channels at once where nothing may be stale, and never where anything may', async () => {
    for (const [maxStaleMs, ending] of [
      [0, stale],
      [Number.POSITIVE_INFINITY, undefined],
    ] as const) {
      const { tokens, clock, logIn } = watch({ maxStaleMs });
      const client = await logIn('ann');
      tokens.fails(true);
      await clock.advance(60_000);
      expect(client.closed).toEqual(ending);
      await clock.advance(3_600_000);
      expect(client.closed).toEqual(ending);
    }
  });

  it('and hangs is one that does not answer', async () => {
    const { tokens, clock, errors, logIn } = watch({ maxStaleMs: 62_000 });
    const client = await logIn('ann');
    tokens.answers = new Promise(() => undefined);
    await clock.advance(65_000);
    expect(client.closed).toEqual(stale);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
  });

  it('is asked again about a hint, also where nothing is swept, until it answers', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    const client = await logIn('ann');
    await clock.advance(3_600_000);
    tokens.grants.clear();
    tokens.fails(true);
    tokens.revocations.tell({ userId: 'ann', hint: true });
    await clock.advance(30_000);
    expect(client.closed).toBeUndefined();
    tokens.fails(false);
    await clock.advance(60_000);
    expect(client.closed).toEqual(revoked);
  });
});
