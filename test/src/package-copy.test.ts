import { describe, expect, it, vi } from 'vitest';
import type { ReceiveMessage } from '../../entries/index.js';
import * as ours from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { codesOf, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

async function anotherCopy(): Promise<typeof ours> {
  vi.resetModules();
  return import('../../entries/index.js');
}

const theirs = await anotherCopy();
const { tokens } = makeSite();
const theirHandler = theirs.withUserFromToken({ tokens })((_message: ReceiveMessage) => {});

describe('what another copy of the package made', () => {
  it('is another copy’s', () => {
    expect(theirs.withUserFromToken).not.toBe(ours.withUserFromToken);
  });

  it.each<[string, () => unknown]>([
    ['a handler in a slot', () => new ours.ChannelServer({ connect: theirHandler } as never)],
    ['a handler without needs in a slot', () => new ours.ChannelServer({ connect: theirs.withClientErrors(() => {}) } as never)],
    ['a wrapper in a slot', () => new ours.ChannelServer({ connect: theirs.withUserFromToken } as never)],
    ['a part of dispatchOn', () => ours.dispatchOn('command', { it: theirHandler } as never)],
    ['a handler in a wrapper', () => ours.withOrdering(theirHandler as never)],
    ['a wrapper in compose', () => (ours.compose as (...given: unknown[]) => unknown)(ours.withOrdering, theirs.withUserFromToken)],
  ])('is refused as %s, with both copies named and what to do', (_where, build) => {
    const error = thrownBy(build);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/two copies .*package-copy.* and .*package-copy.*npm ls ws-with/s);
  });

  it('is refused at the message where the server could not see it', async () => {
    const { options, errors } = makeSite();
    const connect = (message: unknown): unknown => theirHandler(message as never);
    expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 500 });
    expect(codesOf(errors)).toEqual(['TypeError']);
    expect((errors[0] as Error).message).toMatch(/two copies/);
  });
});
