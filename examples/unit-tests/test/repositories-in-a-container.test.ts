import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelServer, container, type DependencyContainer, TOKEN_REPOSITORY, type TokenRepository } from 'ws-with';
import { connectTo } from 'ws-with/testing';
import { ENTRY_REPOSITORY, type EntryRepository } from '../src/entry-repository.js';
import { Guestbook } from '../src/guestbook.js';
import { guestbookHandlers } from '../src/guestbook-handlers.js';
import { grantOfAda, keyOfAda } from './members.js';

const asAda = { cookies: { key: keyOfAda } };

describe('the guestbook, its repositories taken from a container', () => {
  let child: DependencyContainer;
  let tokens: TokenRepository;
  let entries: EntryRepository;

  beforeEach(() => {
    tokens = { findById: vi.fn(async () => grantOfAda) };
    entries = { latest: vi.fn(async () => []), append: vi.fn(async () => {}) };
    child = container.createChildContainer(); // what a test registers in it ends with the test
    child.registerInstance(TOKEN_REPOSITORY, tokens);
    child.registerInstance(ENTRY_REPOSITORY, entries);
    child.register(Guestbook, { useFactory: (from) => new Guestbook(from.resolve(ENTRY_REPOSITORY)) });
  });

  it('finds members through the registered repository', async () => {
    const client = await connectTo(guestbookHandlers({ entries }), { ...asAda, container: child });
    expect(client.sentJson).toEqual([{ hello: 'Ada', entries: [] }]);
    expect(tokens.findById).toHaveBeenCalledExactlyOnceWith(grantOfAda.id);
  });

  it('is made by the container where it is a class', async () => {
    const channels = new ChannelServer(Guestbook, { container: child });
    const client = await connectTo(channels, asAda);
    expect(client.sentJson).toEqual([{ hello: 'Ada', entries: [] }]);
    expect(entries.latest).toHaveBeenCalledOnce();
  });

  it('says when the server is built what is registered nowhere', () => {
    expect(() => new ChannelServer(guestbookHandlers({ entries }), { container: container.createChildContainer() })).toThrow(
      expect.objectContaining({ code: 'ERR_DEPENDENCY_MISSING' }),
    );
  });
});
