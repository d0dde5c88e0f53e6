import { type ChangeStreamDocument, Timestamp } from 'mongodb';
import { expect, it } from 'vitest';
import { revocationOf } from '../../../adapters/mongodb/revocation-changes.js';
import { tokenIdOf } from '../../../entries/index.js';

const watched = {
  tokens: 'tokens',
  users: 'users',
  userKey: '_id',
  ignoredUserFields: [],
  httpSessions: undefined,
  published: 'revocations',
};
const now = Date.UTC(2026, 0, 1, 12);
const tokenId = tokenIdOf('a key of twenty characters'.replaceAll(' ', '-'));

/** What the stream tells of a revocation that was published so many milliseconds ago, by the clock of the database. */
function published(document: object, agoMs: number): ChangeStreamDocument {
  const clusterTime = new Timestamp({ t: (now - agoMs) / 1_000, i: 1 });
  return { operationType: 'insert', fullDocument: { at: new Date(), ...document }, clusterTime } as unknown as ChangeStreamDocument;
}

it.each([0, 60_000, -3_600_000])('a user who was ended %d ms ago has ended', (agoMs) => {
  expect(revocationOf(published({ userId: 'ada' }, agoMs), watched, now)).toEqual({ userId: 'ada' });
});

it('a user who was ended ten minutes ago may have logged in since: what was identified before, give or take a minute, has ended', () => {
  const told = revocationOf(published({ userId: 'ada' }, 600_000), watched, now);
  expect(told).toEqual({ userId: 'ada', issuedBefore: new Date(now - 540_000) });
});

it.each([{ tokenId }, { httpSessionId: 'one' }, { userId: 'ada', hint: true as const }, { userId: 'ada', issuedBefore: new Date(7) }])(
  'what says more, or comes not again, is told as it is, however late: %j',
  (revocation) => {
    expect(revocationOf(published(revocation, 600_000), watched, now)).toEqual(revocation);
  },
);
