import { describe, expect, it, vi } from 'vitest';
import type { ReceiveMessage } from '../../entries/index.js';
import * as ours from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

async function anotherCopy(): Promise<typeof ours> {
  vi.resetModules();
  return import('../../entries/index.js');
}

const theirs = await anotherCopy();
const { MemorySessionStore } = await import('../../entries/memory.js'); // of the other copy, too
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

  it.each<[string, () => unknown]>([
    ['a server in connectTo', () => connectTo(new theirs.ChannelServer({ receive: () => {} }) as never)],
    ['a server of tokens over HTTP', () => ours.issueTokenHandler(new theirs.ChannelServer({ receive: () => {} }) as never)],
    ['a server of renewals', () => ours.renewTokenHandler(new theirs.ChannelServer({ receive: () => {} }) as never)],
    ['a server of log-outs', () => ours.revokeTokenHandler(new theirs.ChannelServer({ receive: () => {} }) as never)],
    ['a server of tickets', () => ours.ticketHandler(new theirs.ChannelServer({ receive: () => {} }) as never)],
  ])('is refused as %s', async (_where, use) => {
    const failed = await Promise.resolve()
      .then(use)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failed).toBeInstanceOf(TypeError);
    expect((failed as Error).message).toMatch(/two copies/);
  });

  it('is refused at the message where the server could not see it', async () => {
    const { options, errors } = makeSite();
    const connect = (message: unknown): unknown => theirHandler(message as never);
    expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 500 });
    expect(codesOf(errors)).toEqual(['TypeError']);
    expect((errors[0] as Error).message).toMatch(/two copies/);
  });
});

describe('an error of another copy of the package', () => {
  it('is what it says, and of the same classes', () => {
    const deny = new theirs.DenyConnection();
    expect([deny instanceof ours.DenyConnection, deny instanceof ours.ChannelError, deny instanceof ours.CloseChannel]).toEqual([
      true,
      true,
      false,
    ]);
    const error = new theirs.ChannelError('ERR_SESSION_CONFLICT', 'somebody came first');
    expect([error instanceof ours.ChannelError, error instanceof ours.DenyConnection]).toEqual([true, false]);
    expect(new theirs.ClientError('full') instanceof ours.ClientError).toBe(true);
    for (const nothing of [undefined, null, 'ERR_SESSION_CONFLICT', {}, new Error('x'), Object.create(null)]) {
      expect(nothing instanceof ours.ChannelError).toBe(false);
    }
  });

  it('is none of a class of the application, which extends one: those stay apart', () => {
    class OfOurs extends ours.ChannelError {}
    class OfTheirs extends theirs.ChannelError {}
    const [one, other] = [new OfOurs('ERR_SHUTDOWN', 'ours'), new OfTheirs('ERR_SHUTDOWN', 'theirs')];
    expect([one instanceof OfOurs, one instanceof theirs.ChannelError, one instanceof OfTheirs]).toEqual([true, true, false]);
    expect([other instanceof OfTheirs, other instanceof ours.ChannelError, other instanceof OfOurs]).toEqual([true, true, false]);
  });

  it('refuses, closes and tells the client as one of ours', async () => {
    const { options, errors } = makeSite();
    const refuse = (): never => {
      throw new theirs.DenyConnection({ status: 404 });
    };
    expect((await connectTo({ connect: refuse }, options)).refusal).toEqual({ status: 404 });
    const close = (): never => {
      throw new theirs.CloseChannel(4001, 'enough');
    };
    const closed = await connectTo({ receive: close }, options);
    await closed.send('x');
    expect(closed.closed).toEqual({ code: 4001, reason: 'enough' });
    const tell = (): never => {
      throw new theirs.ClientError('room_full', { max: 8 });
    };
    const told = await connectTo({ receive: ours.withClientErrors(tell) }, options);
    await told.send('x');
    expect([told.sentJson, told.closed]).toEqual([[{ error: 'room_full', max: 8 }], undefined]);
    expect(errors).toEqual([]);
  });

  it('says of a store of that copy that somebody came first, which is then tried again', async () => {
    const { options, clock, errors, tokens: ownTokens } = makeSite();
    const session = { store: new MemorySessionStore({ clock }), scope: 'user' as const };
    const connect = ours.withUserFromToken({ tokens: ownTokens })(() => {});
    const receive = ours.withChannelUser((message) => message.channelSession.update('count', (count) => Number(count ?? 0) + 1));
    const open = () => connectTo({ connect, receive }, { ...options, session, cookies: { key: aliceKey } });
    const [one, other] = [await open(), await open()];
    for (let round = 0; round < 3; round += 1) for (const client of [one, other]) await client.send('x');
    expect(other.channelSession.get('count')).toBe(6);
    expect(errors).toEqual([]);
  });
});
