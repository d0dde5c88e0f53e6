import { describe, expect, it } from 'vitest';
import { checkedRevocation } from '../../../src/feeds/checked-revocation.js';
import { tokenIdOf } from '../../../src/token-id.js';

const tokenId = tokenIdOf('4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf');
const moment = new Date('2026-11-26T10:00:00Z');

describe('a revocation that is published', () => {
  it.each([{ tokenId }, { tokenId, hint: true }, { userId: 'ada' }, { userId: 'ada', issuedBefore: moment }, { httpSessionId: 'session' }])(
    'is taken as it is: %o',
    (revocation) => {
      expect(checkedRevocation('feed.publish', revocation)).toEqual(revocation);
    },
  );

  it('is a copy of what it names and nothing else', () => {
    const given = { userId: 'ada', tokenId: undefined, issuedBefore: moment, hint: false, note: 'a secret' };
    const checked = checkedRevocation('feed.publish', given);
    expect(checked).toEqual({ userId: 'ada', issuedBefore: moment });
    expect(Reflect.get(checked, 'issuedBefore')).not.toBe(moment);
    const row = { tokenId: null, userId: 'ada', httpSessionId: null, issuedBefore: null, hint: null };
    expect(checkedRevocation('feed.publish', row)).toEqual({ userId: 'ada' });
  });

  it.each([
    undefined,
    null,
    7,
    'ada',
    {},
    { tokenId: 'ada' },
    { userId: '' },
    { userId: 7 },
    { userId: { $ne: null } },
    { httpSessionId: null },
    { tokenId, userId: 'ada' },
    { userId: 'ada', issuedBefore: moment.getTime() },
    { userId: 'ada', issuedBefore: new Date(Number.NaN) },
  ])('is refused with a TypeError where it is none: %o', (revocation) => {
    expect(() => checkedRevocation('feed.publish', revocation)).toThrow(TypeError);
  });
});
