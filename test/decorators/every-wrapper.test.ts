import { RateLimiterMemory } from 'rate-limiter-flexible';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import * as entry from '../../entries/index.js';
import {
  dispatchOn,
  fromHttpSession,
  fromToken,
  type ReceiveMessage,
  withAllowedOrigins,
  withAuthenticatedUser,
  withChannelAndHttpSession,
  withChannelSession,
  withChannelUser,
  withClientErrors,
  withHttpSession,
  withHttpUser,
  withJson,
  withOrdering,
  withRequestId,
  withUserFrom,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { withRateLimit } from '../../entries/rate-limit.js';
import { connectTo } from '../../entries/testing.js';
import { wrappers } from '../house/exports.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, type Site } from '../support/site.js';

expectProcessToLive();

type AnyHandler = (this: unknown, message: ReceiveMessage, ...rest: unknown[]) => unknown;
type Wrap = (handler: AnyHandler) => AnyHandler;
type Row = readonly [name: string, make: (site: Site) => unknown];
type WrapRow = [name: string, make: (site: Site) => Wrap];

const nothing = (): void => {};

/** The rows of a table, their wrappers of one type. */
function rows(table: readonly Row[]): WrapRow[] {
  return table as unknown as WrapRow[];
}

const schema = z.object({ do: z.string() });

/** Wrappers that have nothing to wait for on a receive message. */
const synchronous = rows([
  ['withChannelSession', () => withChannelSession],
  ['withChannelUser', () => withChannelUser],
  ['withUserFromToken', ({ tokens }) => withUserFromToken({ tokens })],
  ['withUserFrom', ({ tokens }) => withUserFrom(fromToken({ tokens }))],
  ['withOrdering', () => withOrdering],
  ['withAllowedOrigins', () => withAllowedOrigins(['https://app.example.com'])],
  ['withClientErrors', () => withClientErrors],
  ['withJson', () => withJson(schema)],
  ['withRequestId', () => withRequestId],
  ['withAuthenticatedUser', () => (handler: AnyHandler) => withChannelUser(withAuthenticatedUser(handler as never))],
  ['withRateLimit of a limiter that answers at once', () => withRateLimit({ limiter: { consume: () => undefined } })],
  ['dispatchOn', () => (handler: AnyHandler) => dispatchOn('do', { it: handler as never })],
]);

/** Wrappers that ask somebody outside for every message: mostly for the HTTP session. */
const waiting = rows([
  ['withRateLimit', () => withRateLimit({ limiter: new RateLimiterMemory({ points: 9, duration: 60 }) })],
  ['withHttpSession', ({ sessions }) => withHttpSession({ sessions })],
  ['withChannelAndHttpSession', ({ sessions }) => withChannelAndHttpSession({ sessions })],
  ['withHttpUser', ({ sessions, users }) => withHttpUser({ sessions, users })],
  ['withUserFromHttp', ({ sessions, users }) => withUserFromHttp({ sessions, users })],
  ['withUserFrom with an HTTP session', ({ sessions, users }) => withUserFrom(fromHttpSession({ sessions, users }))],
]);

it('each wrapper of the package stands in one of these tables', () => {
  const tested = new Set([...synchronous, ...waiting].map(([name]) => name));
  expect(wrappers.filter((name) => !tested.has(name))).toEqual([]);
});

it.each(wrappers)('%s stands in no slot by itself: one forgotten call is a mistake that is named', (name) => {
  const exported: Readonly<Record<string, unknown>> = { ...entry };
  const receive = exported[name] as never;
  expect(() => new entry.ChannelServer({ receive })).toThrow(new RegExp(`^(?=.*receive).*${name}`));
});

/** Calls `handler`, wrapped, with arguments of its own on each receive message, and tells what came of it. */
async function callWrapped(make: (site: Site) => Wrap, handler: AnyHandler) {
  const site = makeSite();
  const results: unknown[] = [];
  const owner = { name: 'owner' };
  const wrapped = make(site)(handler);
  const receive = (message: ReceiveMessage): unknown => {
    const result = wrapped.call(owner, message, 'first', 2);
    results.push(result);
    return result;
  };
  const connect = withUserFromToken({ tokens: site.tokens })(nothing);
  // the server does not see the wrapper in `receive`, so that it must see elsewhere that HTTP sessions are wanted
  const disconnect = withHttpSession({ sessions: site.sessions })(nothing);
  const cookies = { key: aliceKey, sessionid: site.sessions.create('alice') };
  const client = await connectTo({ connect, receive, disconnect }, { ...site.options, cookies });
  await client.sendJson({ do: 'it' });
  return { ...site, client, owner, results };
}

describe.each([...synchronous, ...waiting])('%s', (_name, make) => {
  it('hands on `this`, further arguments and the result', async () => {
    const handler = vi.fn(function (this: unknown, ..._all: unknown[]) {
      return { from: this };
    });
    const { owner, results, errors } = await callWrapped(make, handler);
    expect(errors).toEqual([]);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(handler.mock.calls[0]?.slice(1)).toEqual(['first', 2]);
    expect(await results[0]).toEqual({ from: owner });
  });

  it('lets go on what its handler throws, and what it rejects with', async () => {
    const error = new Error('mine');
    const throwing = await callWrapped(make, () => {
      throw error;
    });
    const rejecting = await callWrapped(make, () => Promise.reject(error));
    for (const { client, errors } of [throwing, rejecting]) {
      expect(errors).toEqual([error]);
      expect(client.closed?.code).toBe(1011);
    }
  });

  it('runs its handler once where it stands twice', async () => {
    const handler = vi.fn();
    const twice = (site: Site): Wrap => {
      const wrap = make(site);
      return (inner) => wrap(wrap(inner));
    };
    const { errors } = await callWrapped(twice, handler);
    expect(errors).toEqual([]);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('is not called with anything but a message of a channel', () => {
    const wrapped = make(makeSite())(nothing);
    for (const message of [{}, { kind: 'receive' }, null, undefined]) expect(() => wrapped(message as never)).toThrow(TypeError);
  });
});

describe.each(synchronous)('%s', (_name, make) => {
  it('makes no promise for a message that has nothing to wait for', async () => {
    const { results } = await callWrapped(make, () => 'result');
    expect(results).toEqual(['result']);
  });
});

describe('all wrappers on one handler', () => {
  it('work together, whatever is outside and inside', async () => {
    for (const order of [
      [...synchronous, ...waiting],
      [...waiting, ...synchronous],
    ]) {
      const handler = vi.fn();
      const wrapEach = (site: Site) => (inner: AnyHandler) => order.reduceRight((wrapped, [, make]) => make(site)(wrapped), inner);
      const { client, errors } = await callWrapped(wrapEach, handler);
      expect(codesOf(errors)).toEqual([]);
      expect(handler).toHaveBeenCalledTimes(1);
      await client.disconnect();
    }
  });
});
