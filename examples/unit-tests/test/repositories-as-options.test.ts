import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenRepository } from 'ws-with';
import { connectTo, TestClock } from 'ws-with/testing';
import type { EntryRepository } from '../src/entry-repository.js';
import { guestbookHandlers, maxEntries } from '../src/guestbook-handlers.js';
import { grantOfAda, keyOfAda } from './members.js';

const tokens = { findById: vi.fn<TokenRepository['findById']>() };
const entries = { latest: vi.fn<EntryRepository['latest']>(), append: vi.fn<EntryRepository['append']>() };
const handlers = guestbookHandlers({ entries, tokens });
const asAda = { cookies: { key: keyOfAda } };

beforeEach(() => {
  vi.resetAllMocks();
  tokens.findById.mockImplementation(async (id) => (id === grantOfAda.id ? grantOfAda : undefined));
  entries.latest.mockResolvedValue([{ author: 'Bob', text: 'First!' }]);
});

describe('the guestbook, its repositories given as options', () => {
  it('greets a member by name', async () => {
    const client = await connectTo(handlers, asAda);
    expect(client.sentJson).toEqual([{ hello: 'Ada', entries: [{ author: 'Bob', text: 'First!' }] }]);
    expect(tokens.findById).toHaveBeenCalledExactlyOnceWith(grantOfAda.id);
  });

  it('greets somebody without a token as a guest, and asks no repository', async () => {
    const client = await connectTo(handlers);
    expect(client.sentJson).toMatchObject([{ hello: 'guest' }]);
    expect(client.authentication?.outcome).toBe('missing');
    expect(tokens.findById).not.toHaveBeenCalled();
  });

  it('appends what a member writes, and counts it in the session', async () => {
    const client = await connectTo(handlers, asAda);
    await client.send('Hello');
    expect(entries.append).toHaveBeenCalledExactlyOnceWith({ author: 'Ada', text: 'Hello' });
    expect(client.channelSession.get('written')).toBe(1);
    expect(client.closed).toBeUndefined();
  });

  it('tells a member who writes too much, and keeps the connection', async () => {
    const client = await connectTo(handlers, asAda);
    for (let count = 0; count <= maxEntries; count += 1) await client.send('Hello');
    expect(client.sentJson.at(-1)).toEqual({ error: 'too_many_entries', maxEntries });
    expect(entries.append).toHaveBeenCalledTimes(maxEntries);
    expect(client.closed).toBeUndefined();
  });

  it('closes the connection of a guest who writes', async () => {
    const client = await connectTo(handlers);
    await client.send('Hello');
    expect(client.closed).toMatchObject({ code: 3000 });
    expect(entries.append).not.toHaveBeenCalled();
  });

  it('takes a member whose token has expired for a guest', async () => {
    const clock = new TestClock();
    tokens.findById.mockResolvedValue({ ...grantOfAda, expiresAt: new Date(clock.now()) });
    const client = await connectTo(handlers, { ...asAda, clock });
    expect(client.authentication?.outcome).toBe('expired');
    expect(client.user.isAuthenticated).toBe(false);
  });

  it('refuses the handshake where the tokens cannot be reached', async () => {
    const onError = vi.fn();
    tokens.findById.mockRejectedValue(new Error('connection refused'));
    const client = await connectTo(handlers, { ...asAda, onError });
    expect(client.refusal).toEqual({ status: 503 });
    expect(onError.mock.calls).toMatchObject([[{ code: 'ERR_LOOKUP_FAILED' }, { kind: 'connect' }]]);
  });

  it('closes the connection where an entry cannot be kept, and does not count it', async () => {
    const onError = vi.fn();
    entries.append.mockRejectedValue(new Error('disk full'));
    const client = await connectTo(handlers, { ...asAda, onError });
    await client.send('Hello');
    expect(client.closed).toMatchObject({ code: 1011 });
    expect(client.channelSession.get('written')).toBeUndefined();
    expect(onError).toHaveBeenCalledOnce();
  });
});
