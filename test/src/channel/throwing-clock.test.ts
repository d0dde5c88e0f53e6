import { describe, expect, it } from 'vitest';
import { type ChannelHandlers, type Clock, withAuthenticatedUser, withUserFromToken } from '../../../entries/index.js';
import { modes, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

const boom = (): never => {
  throw new Error('boom');
};
const guarded = withUserFromToken({ tokens: { findById: async () => undefined } })(withAuthenticatedUser(() => undefined));

/** A clock of the machine's, one thing of which fails. */
function clockWith(changes: Partial<Clock>): Clock {
  return { now: () => 0, monotonic: () => 0, setTimer: () => () => undefined, ...changes };
}

const clocks: Readonly<Record<string, Clock>> = {
  'cannot set a timer': clockWith({ setTimer: boom }),
  'cannot cancel a timer': clockWith({ setTimer: () => boom }),
  'knows no time': clockWith({ now: boom, monotonic: boom }),
};

const handlers: Readonly<Record<string, ChannelHandlers>> = {
  throws: { connect: boom },
  'refuses the anonymous': { connect: guarded },
  closes: { connect: ({ channel }) => channel.close() },
};

describe.each(modes)('a clock that throws (%s)', (mode) => {
  const cases = Object.entries(clocks).flatMap(([name, clock]) => Object.keys(handlers).map((what) => ({ name, clock, what })));

  it.each(cases)('leaves neither the process nor a channel hanging: one that $name, where connect $what', async ({ clock, what }) => {
    const { port, channels } = await serve({ ...handlers[what] }, { mode, clock, onWarning: undefined });
    const client = await WsClient.connect(port);
    if (client.refused === undefined) expect((await client.closed()).code).toBeGreaterThan(999);
    else expect(client.refused.status).toBeGreaterThan(399);
    expect(channels.channels.size).toBe(0);
  });
});
