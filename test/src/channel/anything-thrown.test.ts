import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  type ChannelHandlers,
  defineWrapper,
  dispatchOn,
  type Passed,
  type SessionStore,
  whenSettled,
  withChannelSession,
  withClientErrors,
  withJson,
  withUserFromToken,
} from '../../../entries/index.js';
import { type HostileValue, hostileKinds, hostileValues } from '../../support/hostile-values.js';
import { type Mode, modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

type Fail = () => unknown;

/** Ways for a handler to fail with a value. */
const manners: Record<string, (value: HostileValue) => Fail> = {
  'at once': (value) => () => {
    throw value.make();
  },
  later: (value) => async () => {
    await nextTurn();
    throw value.make();
  },
  'by a thenable': (value) => () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
    then: (_resolve: unknown, reject: (error: unknown) => void) => reject(value.make()),
  }),
};

const settling = defineWrapper('settling', (_message: object, next) =>
  whenSettled(
    () => next() as Passed<object>,
    () => undefined,
  ),
);
const command = JSON.stringify({ command: 'go' });
const failure = { status: 500, closeCode: 1011 };
const cannotTell = { status: 503, closeCode: 1013 };

interface Place {
  readonly handlers: (fail: Fail) => ChannelHandlers;
  /** Where it fails. */
  readonly slot: 'connect' | 'receive' | 'disconnect';
  /** How it ends whatever was thrown. */
  readonly ends?: { readonly status: number; readonly closeCode: number };
}

const storing = (method: 'load' | 'create', fail: Fail): SessionStore => ({
  load: async () => undefined,
  create: async () => undefined,
  save: async () => undefined,
  touch: async () => undefined,
  destroy: async () => undefined,
  [method]: fail,
});

const places: Record<string, Place> = {
  connect: { slot: 'connect', handlers: (fail) => ({ connect: fail }) },
  'connect under wrappers': { slot: 'connect', handlers: (fail) => ({ connect: settling(withClientErrors(fail)) }) },
  receive: { slot: 'receive', handlers: (fail) => ({ receive: fail }) },
  'receive under wrappers': { slot: 'receive', handlers: (fail) => ({ receive: settling(withJson(z.unknown())(fail)) }) },
  'receive of dispatchOn': { slot: 'receive', handlers: (fail) => ({ receive: dispatchOn('command', { go: withClientErrors(fail) }) }) },
  disconnect: { slot: 'disconnect', handlers: (fail) => ({ disconnect: settling(withClientErrors(fail)) }) },
  'a repository': {
    slot: 'connect',
    ends: cannotTell,
    handlers: (fail) => ({ connect: withUserFromToken({ tokens: { findById: fail as () => Promise<undefined> } })(() => undefined) }),
  },
  'a store that saves': {
    slot: 'connect',
    handlers: (fail) => ({
      connect: withChannelSession({ store: storing('create', fail) })(({ channelSession }) => channelSession.set('a', 1)),
    }),
  },
};

const reporters: readonly (() => unknown)[] = [
  () => undefined,
  () => Promise.reject(new Error('no')),
  () => {
    throw new Error('no');
  },
];

interface Failing {
  readonly fail: Fail;
  readonly onError: () => unknown;
}

/** Serves `place`, and lets it fail in each way, one after the other. */
async function endsAsItMust(place: Place, failings: readonly Failing[], value: HostileValue, mode: Mode): Promise<void> {
  let failing: Failing | undefined;
  let disconnects = 0;
  const handlers = place.handlers(() => {
    if (place.slot === 'disconnect') disconnects += 1;
    return failing?.fail();
  });
  const counting = {
    disconnect: () => {
      disconnects += 1;
    },
    ...handlers,
  };
  const { channels, port } = await serve(counting, { mode, onError: () => failing?.onError() });
  const { status, closeCode } = place.ends ?? value.ends ?? failure;
  for (failing of failings) {
    disconnects = 0;
    const client = await WsClient.connect(port, { cookie: `key=${'a'.repeat(40)}` });
    if (place.slot === 'disconnect') client.socket.close(1000);
    else if (place.slot === 'receive') client.send(command);
    if (place.slot === 'connect' && mode === 'handleUpgrades') expect(client.refused?.status).toBe(status);
    else expect(await client.closed()).toMatchObject({ code: place.slot === 'disconnect' ? 1000 : closeCode });
    while (channels.channels.size > 0) await nextTurn();
    expect(disconnects).toBe(place.slot === 'connect' ? 0 : 1);
  }
  await channels.close(); // resolves once nothing of any channel runs; the clock stands still
  expect(disconnects).toBe(place.slot === 'connect' ? 0 : 1);
}

describe.each(modes)('whatever is thrown ends its channel and nothing else (%s)', (mode) => {
  describe.each(Object.entries(places))('in %s', (where, place) => {
    // where nothing is around the handler: each value in both modes and all three ways. Elsewhere each kind of them, the one half in the
    // one mode, the other in the other, and two ways are enough: at once, and later
    const isPlain = where === 'connect' || where === 'receive';
    const values = isPlain ? hostileValues : hostileKinds.filter((_, index) => modes[index % 2] === mode);
    it.each(values)('%s', async (_name, value) => {
      const failings = Object.values(manners).map((manner, index) => ({ fail: manner(value), onError: reporters[index]! }));
      // an open channel is the same however it came in: each way of failing once
      const isTried = (_failing: Failing, index: number) => (isPlain ? place.slot === 'connect' || modes[index % 2] === mode : index < 2);
      await endsAsItMust(place, failings.filter(isTried), value, mode);
    });
  });
});

describe('the log', () => {
  it.each(hostileValues)('tells of %s, in bounds', async (_name, value) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { port } = await serve(
      {
        connect: () => {
          throw value.make();
        },
      },
      { onError: undefined },
    );
    await WsClient.connect(port);
    const text = log.mock.calls.flat().join('');
    log.mockRestore();
    expect(text.length).toBeLessThan(20_000);
    if (value.ends === undefined) expect(text).toMatch(/^ws-with: ./);
  });
});
