import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { recordIn } from '../../../adapters/express/channel-record.js';
import { expiryOf, sessionToStore } from '../../../adapters/express/session-to-store.js';

const record = { format: 1, version: 1, data: {}, createdAt: 1_000, expiresAt: 2_000 };
const sessionWith = (cookie?: object): object => ({ cookie, channelSession: JSON.stringify(record) });

it.each<[string, object | undefined, number]>([
  ['its cookie, which a touch changes', { expires: new Date(3_000) }, 3_000],
  ['its cookie as JSON made it', { expires: new Date(3_000).toISOString() }, 3_000],
  ['its cookie as express-session keeps it', { data: { expires: new Date(3_000) } }, 3_000],
  ['its cookie, whose date is of another realm', { expires: runInNewContext('new Date(3_000)') }, 3_000],
  ['itself where the cookie says nothing', { expires: null }, 2_000],
  ['itself where the cookie says no date', { expires: 'soon' }, 2_000],
  ['itself where there is no cookie', undefined, 2_000],
])('when a record ends is told by %s', (_what, cookie, expected) => {
  expect(recordIn(sessionWith(cookie))?.expiresAt).toBe(expected);
  expect(expiryOf(sessionWith(cookie))).toBe(expected === 3_000 ? 3_000 : undefined);
});

it.each([
  ['as long as is left of it', new Date(5_000), 4_000],
  ['as long as the browser keeps it', null, null],
])('a store that makes no sessions is given one whose cookie lives %s', (_how, expires, maxAge) => {
  vi.spyOn(Date, 'now').mockReturnValue(1_000);
  const cookie = { originalMaxAge: null, expires };
  expect(sessionToStore({} as never, 'id', { userId: 'ann' }, cookie)).toEqual({ userId: 'ann', cookie });
  expect(cookie).toHaveProperty('maxAge', maxAge);
  expect(Object.keys(cookie)).toEqual(['originalMaxAge', 'expires']);
});
