import { describe, expect, it } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { RevocationLog } from '../../../src/live/revocation-log.js';
import { tokenIdOf } from '../../../src/token-id.js';

const tokenId = tokenIdOf('a'.repeat(40));

function logOf(keepMs = 5_000) {
  const clock = new TestClock();
  return { clock, log: new RevocationLog(clock, keepMs) };
}

describe('what was revoked of late', () => {
  it('is known by each of its keys to those who began before, and not to those who began after', () => {
    const { log } = logOf();
    const before = log.mark;
    log.noteEnd({ userId: 'ann', tokenId });
    expect([log.endedSince(before, { userId: 'ann' }), log.endedSince(before, { tokenId })]).toEqual(['userId', 'tokenId']);
    expect(log.endedSince(log.mark, { userId: 'ann', tokenId })).toBe(undefined);
    expect([log.endedSince(before, { userId: 'bob' }), log.endedSince(before, { httpSessionId: 'ann' })]).toEqual([undefined, undefined]);
  });

  it('says nothing of who has no key of its kind', () => {
    const { log } = logOf();
    log.noteEnd({ userId: 'ann' });
    log.noteDoubt({ userId: 'ann' });
    const others = { userId: 'bob' }; // has no token either
    expect([log.endedSince(0, others), log.isDoubtedSince(0, others)]).toEqual([undefined, false]);
    expect([log.endedSince(0, {}), log.isDoubtedSince(0, {})]).toEqual([undefined, false]);
  });

  it('is doubted by all where something may have been missed', () => {
    const { log } = logOf();
    const before = log.mark;
    log.noteGap();
    expect([log.isDoubtedSince(before, { userId: 'ann' }), log.isDoubtedSince(log.mark, { userId: 'ann' })]).toEqual([true, false]);
  });

  it('by when it was issued is too old below that moment, whichever of two was noted last', () => {
    const { log } = logOf();
    const isTooOld = (ms: number, userId = 'ann'): boolean => log.isTooOldSince(0, { userId }, new Date(ms));
    log.noteDoubt({ userId: 'ann' }, new Date(2_000));
    log.noteDoubt({ userId: 'ann' }, new Date(1_000));
    log.noteDoubt({ userId: 'ann' });
    expect([isTooOld(1_999), isTooOld(2_000), isTooOld(0, 'bob')]).toEqual([true, false, false]);
    expect(log.isTooOldSince(0, { userId: 'ann' }, undefined)).toBe(false);
    expect(log.isTooOldSince(log.mark, { userId: 'ann' }, new Date(0))).toBe(false);
    log.noteDoubt({ userId: 'bob' });
    expect(isTooOld(0, 'bob')).toBe(false);
  });

  it('by when it was issued stands for those who began after that, whatever is doubted later', () => {
    const { log } = logOf();
    log.noteDoubt({ userId: 'ann' }, new Date(2_000));
    const after = log.mark;
    log.noteDoubt({ userId: 'ann' });
    expect(log.isDoubtedSince(after, { userId: 'ann' })).toBe(true);
    expect(log.isTooOldSince(after, { userId: 'ann' }, new Date(0))).toBe(false);
  });

  it('is forgotten after as long as a look-up can take', async () => {
    const { clock, log } = logOf(5_000);
    log.noteEnd({ userId: 'ann' });
    await clock.advance(5_000);
    log.noteEnd({ userId: 'bob' });
    expect([log.endedSince(0, { userId: 'ann' }), log.endedSince(0, { userId: 'bob' })]).toEqual(['userId', 'userId']);
    await clock.advance(1);
    log.noteEnd({ userId: 'bob' });
    expect([log.endedSince(0, { userId: 'ann' }), log.endedSince(0, { userId: 'bob' })]).toEqual([undefined, 'userId']);
  });
});
