import { describe, expect, it, vi } from 'vitest';
import {
  container,
  defineSource,
  fromHttpSession,
  fromToken,
  identifyKey,
  type SourceFinding,
  TOKEN_REPOSITORY,
  type TokenRepository,
} from '../../../entries/index.js';
import { alice, aliceKey as key, makeSite } from '../../support/site.js';

describe('identifyKey', () => {
  it('finds the user of a key that is in no handshake', async () => {
    const { tokens } = makeSite();
    const { user, authentication } = await identifyKey(key, { tokens });
    expect([user, authentication]).toMatchObject([alice, { outcome: 'ok', source: 'token' }]);
    expect(authentication).not.toHaveProperty('carrier');
  });

  it.each([undefined, null, ''])('calls %j missing, and asks nobody', async (nothing) => {
    const { tokens, lookUps } = makeSite();
    expect(await identifyKey(nothing, { tokens })).toMatchObject({ user: { id: null }, authentication: { outcome: 'missing' } });
    expect(lookUps).toEqual([]);
  });

  it.each(['short', 'a'.repeat(513), `${key}🔑`, `${key} `, 7, {}, [key], true])('calls %j malformed, and asks nobody', async (bad) => {
    const { tokens, lookUps } = makeSite();
    const { authentication } = await identifyKey(bad, { tokens });
    expect([authentication, lookUps]).toEqual([{ outcome: 'malformed', source: 'token' }, []]);
  });

  it('has the outcomes of a handshake', async () => {
    const { tokens, users } = makeSite();
    const revoked = await tokens.issue('alice');
    await tokens.revoke(revoked.id);
    expect((await identifyKey(revoked.key, { tokens })).authentication.outcome).toBe('revoked');
    expect((await identifyKey('f'.repeat(40), { tokens })).authentication.outcome).toBe('unknown');
    users.delete('alice');
    expect((await identifyKey(key, { tokens })).authentication.outcome).toBe('inactive-user');
  });

  it('rejects where it cannot be told, and never says anonymous', async () => {
    const failing = { findById: () => Promise.reject(new Error('down')) };
    await expect(identifyKey(key, { tokens: failing })).rejects.toMatchObject({ code: 'ERR_LOOKUP_FAILED' });
    const hung = { findById: () => new Promise<never>(() => {}) };
    await expect(identifyKey(key, { tokens: hung, timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
  });

  it('looks for the repository in its container, and misses it with a code', async () => {
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, { useValue: makeSite().tokens });
    expect((await identifyKey(key, { container: child })).user.id).toBe('alice');
    await expect(identifyKey(key)).rejects.toMatchObject({ code: 'ERR_DEPENDENCY_MISSING' });
  });

  it('takes the keys of a source', async () => {
    const { tokens } = makeSite();
    expect((await identifyKey(key, { source: fromToken({ tokens }) })).user.id).toBe('alice');
    const findByKey = vi.fn(
      (one: string): SourceFinding => (one === 'no key of ours' ? { outcome: 'ok', user: alice } : { outcome: 'unknown' }),
    );
    const own = defineSource('own', (): SourceFinding => ({ outcome: 'missing' }), { findByKey });
    expect((await identifyKey('no key of ours', { source: own })).authentication).toEqual({ outcome: 'ok', source: 'own' });
    expect((await identifyKey('x', { source: own })).authentication).toEqual({ outcome: 'unknown', source: 'own' });
    expect((await identifyKey('a'.repeat(8_193), { source: own })).authentication).toEqual({ outcome: 'malformed', source: 'own' });
    expect(findByKey).toHaveBeenCalledTimes(2);
  });

  it('says which option is wrong', async () => {
    const { tokens, sessions, users } = makeSite();
    const noKeys = defineSource('own', () => ({ outcome: 'missing' }));
    for (const options of [
      { source: noKeys },
      { source: fromHttpSession({ sessions, users }) },
      { source: fromToken },
      { tokens, source: fromToken({ tokens }) },
      { tokens, timeoutMs: 0 },
      { tokens, from: 'cookie' },
      { tokens: {} as TokenRepository },
    ]) {
      await expect(identifyKey(key, options as never)).rejects.toThrow(TypeError);
    }
  });
});
