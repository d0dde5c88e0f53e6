import { describe, expect, it, vi } from 'vitest';
import {
  type ChannelError,
  ClientError,
  fromToken,
  type ReceiveMessage,
  withAllowedOrigins,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withClientErrors,
  withOrdering,
  withUserFrom,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { aliceKey as key, makeSite } from '../support/site.js';

describe('withAuthenticatedUser', () => {
  it('closes an anonymous channel with 3000 on receive, and nobody is told of an error', async () => {
    const onError = vi.fn();
    const reached = vi.fn();
    const client = await connectTo({ receive: withChannelUser(withAuthenticatedUser(reached)) }, { onError });
    await client.send('a');
    expect(client.closed?.code).toBe(3000);
    expect(reached).not.toHaveBeenCalled();
    expect(onError).not.toHaveBeenCalled();
  });

  it('runs a disconnect handler for a channel that was authenticated, and skips it for others', async () => {
    const { tokens } = makeSite();
    const left: string[] = [];
    const onError = vi.fn();
    const handlers = {
      connect: withUserFromToken({ tokens })(() => {}),
      disconnect: withChannelUser(withAuthenticatedUser((message) => void left.push(message.user.id))),
    };
    await (await connectTo(handlers, { cookies: { key }, onError })).disconnect();
    await (await connectTo(handlers, { onError })).disconnect();
    expect(left).toEqual(['alice']);
    expect(onError).not.toHaveBeenCalled();
  });

  it('says which wrapper is missing where none gave a user', async () => {
    const onError = vi.fn();
    const client = await connectTo({ receive: withAuthenticatedUser(() => {}) as never }, { onError });
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(TypeError);
  });

  it('guards again where an outer wrapper tries again', async () => {
    const reached = vi.fn();
    const guarded = withChannelUser(withAuthenticatedUser(reached));
    const receive = (message: Parameters<typeof guarded>[0]): unknown => {
      try {
        return guarded(message);
      } catch {
        return guarded(message);
      }
    };
    const client = await connectTo({ receive });
    await client.send('a');
    expect(reached).not.toHaveBeenCalled();
    expect(client.closed?.code).toBe(3000);
  });
});

describe('withClientErrors', () => {
  it('sends the error, drops what the handler changed, and keeps the channel; sync and async', async () => {
    const receive = withClientErrors(
      withChannelSession<ReceiveMessage>((message) => {
        message.channelSession.set('n', message.text);
        if (message.text === 'sync') throw new ClientError('sync', { n: 1 });
        return message.text === 'later' ? Promise.reject(new ClientError('later')) : undefined;
      }),
    );
    const client = await connectTo({ receive });
    for (const text of ['good', 'sync', 'later']) await client.send(text);
    expect(client.sentJson).toEqual([{ error: 'sync', n: 1 }, { error: 'later' }]);
    expect(client.channelSession.get('n')).toBe('good');
    expect(client.closed).toBeUndefined();
  });

  it.each([undefined, 404, ''])(
    'ends the channel where a subclass has declared its code anew, as %o: the client could read nothing',
    async (code) => {
      class RoomFull extends ClientError {
        override readonly code = code as never;
      }
      const onError = vi.fn();
      const fail = () => {
        throw new RoomFull('room_full');
      };
      const client = await connectTo({ receive: withClientErrors(fail) }, { onError });
      await client.send('a');
      expect(client.sent).toEqual([]);
      expect(client.closed?.code).toBe(1011);
      expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(TypeError), expect.anything());
    },
  );

  it('lets every other error go on; a ClientError without it is an error like any other', async () => {
    const onError = vi.fn();
    const fails = (error: unknown) => () => {
      throw error;
    };
    const other = await connectTo({ receive: withClientErrors(fails(new Error('mine'))) }, { onError });
    const bare = await connectTo({ receive: fails(new ClientError('full')) }, { onError });
    await other.send('a');
    await bare.send('a');
    expect([other.closed?.code, bare.closed?.code]).toEqual([1011, 1011]);
    expect(bare.sent).toEqual([]);
  });

  it('tells the client after the 101 where connect throws one', async () => {
    const client = await connectTo({
      connect: withClientErrors(() => {
        throw new ClientError('hello');
      }),
    });
    expect(client.refusal).toBeUndefined();
    expect(client.sentJson).toEqual([{ error: 'hello' }]);
  });
});

describe('withAllowedOrigins', () => {
  const host = { headers: { host: 'app.example.com' } };

  it('narrows what the server lets in, and never widens it', async () => {
    const connect = withAllowedOrigins(['https://evil.example'])(() => {});
    const onWarning = vi.fn();
    expect((await connectTo({ connect }, { ...host, origin: 'https://evil.example', onWarning })).refusal).toEqual({ status: 403 });
    expect((await connectTo({ connect }, { ...host, origin: 'https://app.example.com', onWarning })).refusal).toEqual({ status: 403 });
    expect(
      (await connectTo({ connect }, { ...host, origin: 'https://evil.example', origins: ['https://evil.example'] })).refusal,
    ).toBeUndefined();
    expect(onWarning.mock.calls.map(([warning]) => (warning as ChannelError).code)).toEqual(['ERR_ORIGIN_REFUSED', 'ERR_ORIGIN_REFUSED']);
  });

  it('lets native clients pass, and says nothing after connect', async () => {
    const wrap = withAllowedOrigins(['https://other.example']);
    expect((await connectTo({ connect: wrap(() => {}) })).refusal).toBeUndefined();
    const receive = wrap((message) => message.channel.send('ok'));
    const client = await connectTo({ receive }, { ...host, origin: 'https://app.example.com' });
    await client.send('a');
    expect(client.sent).toEqual(['ok']);
  });

  it('reads its list as the server does: ws as http, opaque origins exactly', async () => {
    const connect = withAllowedOrigins(['https://app.example.com', 'file://'])(() => {});
    const options = { ...host, origins: ['file://', 'null'], onWarning: () => {} };
    expect((await connectTo({ connect }, { ...options, origin: 'wss://app.example.com' })).refusal).toBeUndefined();
    expect((await connectTo({ connect }, { ...options, origin: 'file://' })).refusal).toBeUndefined();
    expect((await connectTo({ connect }, { ...options, origin: 'null' })).refusal).toEqual({ status: 403 });
  });

  it.each(['connect alone', 'every slot'])(
    'outside of an identifying wrapper it refuses before any repository is asked, where %s identifies',
    async (where) => {
      const { tokens } = makeSite();
      const findById = vi.spyOn(tokens, 'findById');
      const identifies = withUserFromToken({ tokens })(() => {});
      const connect = withAllowedOrigins(['https://other.example'])(identifies);
      const handlers = where === 'every slot' ? { connect, receive: identifies, disconnect: identifies } : { connect };
      const client = await connectTo(handlers, { ...host, origin: 'https://app.example.com', cookies: { key }, onWarning: () => {} });
      expect(client.refusal).toEqual({ status: 403 });
      expect(findById).not.toHaveBeenCalled();
    },
  );

  it('takes origins and nothing else', () => {
    for (const bad of ['*', 'https://', 'https://a/b', 'https://a@b', 5, null]) {
      expect(() => withAllowedOrigins([bad] as never)).toThrow(TypeError);
    }
    expect(() => withAllowedOrigins('https://a.example' as never)).toThrow(TypeError);
  });
});

describe('withUserFrom', () => {
  it('takes sources and nothing else, a factory that was not called among them', () => {
    for (const sources of [[], [fromToken], [null], [{}], ['token']]) {
      expect(() => (withUserFrom as (...list: unknown[]) => unknown)(...sources)).toThrow(TypeError);
    }
  });
});

describe('wrappers without options', () => {
  it('take none, and say so', () => {
    for (const wrapper of [withChannelUser, withAuthenticatedUser, withOrdering, withClientErrors]) {
      expect(() => (wrapper as (options: object) => unknown)({ concurrency: 2 })).toThrow(TypeError);
      expect((wrapper as (options?: object) => unknown)({})).toBeTypeOf('function');
    }
  });
});
