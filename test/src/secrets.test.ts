import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  defineSource,
  fromHttpSession,
  fromToken,
  type HttpSession,
  query,
  tokenIdOf,
  withUserFrom,
  withUserFromToken,
} from '../../entries/index.js';
import { MemoryTokenRepository } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { MemorySessionStore } from '../../src/session/memory-session-store.js';
import { aliceKey as key, makeSite } from '../support/site.js';

/** Everything that a log might make of `value`. */
function shown(value: unknown): string {
  return [
    inspect(value, { depth: 20, showHidden: true }),
    inspect(value, { depth: 20, getters: true }),
    JSON.stringify(value) ?? '',
    String(value),
  ].join('\n');
}

describe('nothing leaks', () => {
  it('messages, channels, sessions and what a client sees of them show no key, cookie or session id', async () => {
    const { tokens, sessions, users } = makeSite();
    const store = new MemorySessionStore();
    const ids: string[] = [];
    const create = store.create.bind(store);
    vi.spyOn(store, 'create').mockImplementation((id, session) => {
      ids.push(id);
      return create(id, session);
    });
    const sessionId = sessions.create('alice');
    const seen: string[] = [];
    const wrap = withUserFrom(fromToken({ tokens, from: query('token') }), fromHttpSession({ sessions, users }));
    const look = wrap((message) => {
      message.channelSession.set('n', seen.length);
      seen.push(
        shown(message),
        shown(message.channel),
        shown(message.channelSession),
        shown(message.signal),
        shown(message.authentication),
      );
      if (message.kind !== 'connect') seen.push(shown(message.request));
    });
    const server = new ChannelServer(
      { connect: look, receive: look, disconnect: look },
      {
        session: { store, scope: 'client' },
        onEvent: (event) => void seen.push(shown(event)),
      },
    );
    const client = await connectTo(server, {
      cookies: { sessionid: sessionId, other: 'cookie-value' },
      headers: { authorization: 'Bearer bearer-value' },
      url: `/?token=${key}`,
    });
    await client.send('a');
    seen.push(shown(server), shown(server.channels), shown([...server.channels]));
    await client.disconnect(4000, key); // a client may say anything
    expect(seen.join('\n')).toMatch(/identification.*handshake.*save.*close/s);
    expect(seen.length).toBeGreaterThan(10);
    expect(ids).toHaveLength(1);
    for (const secret of [key, sessionId, 'cookie-value', 'bearer-value', ids[0] as string]) expect(seen.join('\n')).not.toContain(secret);
  });

  it('errors and warnings say nothing of what was presented', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const failing = { findById: () => Promise.reject(new Error('down')) };
    const connect = withUserFromToken({ tokens: failing })(() => {});
    const events: unknown[] = [];
    const onEvent = (event: unknown): void => void events.push(event);
    await connectTo({ connect }, { cookies: { key }, onEvent });
    await connectTo({ connect }, { cookies: { key }, origin: 'https://evil.example', onEvent });
    const text = shown([log.mock.calls, emit.mock.calls, events]);
    expect(events).toHaveLength(3);
    expect(text).toContain('ERR_LOOKUP_FAILED');
    expect(text).toContain('evil.example');
    expect(text).not.toContain(key);
  });

  it('mistakes of the calling code are named without the secret in them', () => {
    const wrong = `${key}é`;
    for (const act of [() => tokenIdOf(wrong), () => new MemoryTokenRepository(makeSite()).add(wrong, 'alice')]) {
      let message = '';
      try {
        act();
      } catch (error) {
        message = shown(error);
      }
      expect(message).toContain('TypeError');
      expect(message).not.toContain(key);
    }
  });

  it('nor does what the application gives in the place of a secret show it, where it is a number', async () => {
    const secret = 1_234_567_890_123_456;
    const { users } = makeSite();
    const session = { id: secret, userId: 'alice', data: {}, save: async () => undefined } as unknown as HttpSession;
    const sessions = { read: async () => session, readById: async () => session };
    const place = { carrier: 'header', name: 'x-key', find: () => secret as never };
    const own = defineSource('own', async () => ({ outcome: 'revoked', tokenId: secret as never }) as const);
    const sources = [
      fromHttpSession({ sessions, users }),
      fromToken({ tokens: new MemoryTokenRepository({ users }), from: place as never }),
      own,
    ];
    for (const source of sources) {
      const errors: unknown[] = [];
      const client = await connectTo({ connect: withUserFrom(source)(() => {}) }, { onError: (error) => void errors.push(error) });
      expect(client.refusal).toEqual({ status: 503 });
      expect(shown(errors)).toContain('a number');
      expect(shown(errors)).not.toContain(String(secret));
    }
    const error = await new MemoryTokenRepository({ users }).revoke(secret as never).catch((thrown: unknown) => thrown);
    expect(shown(error)).toContain('a number');
    expect(shown(error)).not.toContain(String(secret));
  });
});
