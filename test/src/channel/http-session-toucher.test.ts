import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { ChannelServer, withHttpSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import type { HttpSession } from '../../../src/contracts/http-session-reader.js';
import { codesOf, expectProcessToLive, makeSite } from '../../support/site.js';

expectProcessToLive();

/** A server whose HTTP sessions want to be touched at these intervals, by their ids; a cookie is an id. */
function makeTouched(intervals: Readonly<Record<string, number | undefined>>) {
  const { clock, options, errors } = makeSite();
  const session = (id: string): HttpSession => {
    return { id, userId: undefined, data: {}, save: async () => {}, touchIntervalMs: intervals[id] };
  };
  const touchMany = vi.fn<(ids: readonly string[]) => Promise<void>>(async () => {});
  const read = async ({ headers }: IncomingMessage): Promise<HttpSession> => session(headers.cookie ?? '');
  const sessions = { read, readById: async (id: string) => session(id), touchMany };
  const server = new ChannelServer({ connect: withHttpSession({ sessions })(() => {}) }, { ...options, heartbeatMs: 0 });
  const open = (id: string) => connectTo(server, { headers: { cookie: id } });
  return { clock, errors, touchMany, open };
}

describe('an HTTP session that wants to be touched', () => {
  it('is touched at its interval while a channel of it is open, once however many there are', async () => {
    const { clock, touchMany, open, errors } = makeTouched({ a: 1_000 });
    const [first, second] = [await open('a'), await open('a')];
    await clock.advance(3_500);
    expect(touchMany.mock.calls).toEqual([[['a']], [['a']], [['a']]]);
    await second.disconnect();
    await clock.advance(1_000);
    expect(touchMany).toHaveBeenCalledTimes(4);
    await first.disconnect();
    await clock.advance(5_000);
    expect(touchMany).toHaveBeenCalledTimes(4);
    expect(clock.pendingTimers).toBe(0);
    expect(errors).toEqual([]);
  });

  it('is touched within a second at first, since most of its life may have passed already', async () => {
    const { clock, touchMany, open } = makeTouched({ a: 60_000 });
    const client = await open('a');
    await clock.advance(1_000);
    expect(touchMany.mock.calls).toEqual([[['a']]]);
    await clock.advance(59_999);
    expect(touchMany).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(touchMany).toHaveBeenCalledTimes(2);
    await client.disconnect();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is touched along with others that are nearly due', async () => {
    const { clock, touchMany, open } = makeTouched({ a: 2_000, b: 2_000, c: 20_000 });
    const clients = [await open('a'), await open('c')];
    await clock.advance(200);
    clients.push(await open('b'));
    await clock.advance(2_800);
    expect(touchMany.mock.calls).toEqual([[['a', 'c', 'b']], [['a', 'b']]]);
    expect(clock.pendingTimers).toBe(1);
    for (const client of clients) await client.disconnect();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is touched with 250 others at most, also where some others could not be', async () => {
    const ids = Array.from({ length: 600 }, (_, index) => `s${index}`);
    const { clock, touchMany, open, errors } = makeTouched(Object.fromEntries(ids.map((id) => [id, 60_000])));
    const clients = await Promise.all(ids.map(open));
    touchMany.mockRejectedValueOnce(new Error('one of them cannot be written'));
    await clock.advance(1_000);
    expect(touchMany.mock.calls.map(([some]) => some.length)).toEqual([250, 250, 100]);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    touchMany.mockClear();
    touchMany.mockImplementation(() => new Promise(() => {}));
    await clock.advance(65_000);
    expect(codesOf(errors)).toHaveLength(2); // at once, and once for all of them
    await clock.advance(10_000);
    expect(touchMany.mock.calls.map(([some]) => some.length)).toEqual([250, 250, 100]);
    expect(codesOf(errors)).toHaveLength(2);
    await Promise.all(clients.map((client) => client.disconnect()));
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not touched when its turn comes after its last channel has ended', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `s${index}`);
    const { clock, touchMany, open } = makeTouched(Object.fromEntries(ids.map((id) => [id, 60_000])));
    const clients = await Promise.all(ids.map(open));
    touchMany.mockImplementation(() => new Promise(() => {}));
    await clock.advance(1_000);
    await Promise.all(clients.slice(250).map((client) => client.disconnect()));
    await clock.advance(20_000);
    expect(touchMany).toHaveBeenCalledTimes(1);
    await Promise.all(clients.map((client) => client.disconnect()));
    expect(clock.pendingTimers).toBe(0);
  });

  it('is touched again at the next interval where that failed or hung, and the failure is reported', async () => {
    const { clock, touchMany, open, errors } = makeTouched({ a: 60_000 });
    const client = await open('a');
    await clock.advance(1_000);
    touchMany.mockClear();
    touchMany.mockRejectedValueOnce(new Error('down'));
    await clock.advance(60_000);
    touchMany.mockImplementationOnce(() => new Promise(() => {}));
    await clock.advance(65_000);
    await clock.advance(55_000);
    expect(touchMany).toHaveBeenCalledTimes(3);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED', 'ERR_SESSION_SAVE_FAILED']);
    await client.disconnect();
    expect(clock.pendingTimers).toBe(0);
  });
});

it.each([undefined, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  'an HTTP session whose interval is %s is not touched',
  async (interval) => {
    const { clock, touchMany, open } = makeTouched({ a: interval });
    const client = await open('a');
    await clock.advance(1_000_000);
    expect(touchMany).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
    await client.disconnect();
  },
);
