import 'reflect-metadata';
import { injectable, container as tsyringe } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  container,
  HTTP_SESSION_READER,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  type TokenGrant,
  type TokenId,
  type TokenRepository,
  USER_REPOSITORY,
  withUserFromToken,
} from '../../entries/index.js';
import * as memory from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

const cookies = { key: aliceKey };

describe('injection', () => {
  it('uses the one global container of tsyringe', () => {
    expect(container).toBe(tsyringe);
  });

  it('has one token for each dependency, the same in every copy of the package', () => {
    const tokens = { TOKEN_REPOSITORY, USER_REPOSITORY, SESSION_STORE, HTTP_SESSION_READER };
    for (const [name, token] of Object.entries(tokens)) expect(token).toBe(Symbol.for(`ws-with.${name}`));
  });

  it('takes a class that the application made injectable, with what it is injected with', async () => {
    const child = container.createChildContainer();
    class Tokens implements TokenRepository {
      readonly #user = alice;
      async findById(id: TokenId): Promise<TokenGrant> {
        return { id, user: this.#user };
      }
    }
    injectable()(Tokens);
    child.register(TOKEN_REPOSITORY, { useClass: Tokens });
    const client = await connectTo({ connect: withUserFromToken(() => {}) }, { ...makeSite().options, container: child, cookies });
    expect(client.user).toBe(alice);
  });

  it.each([memory.MemorySessionStore, memory.MemoryHttpSessionReader, memory.MemoryUserRepository, memory.MemoryRevocationFeed])(
    'makes what needs no options by itself, where the class is registered: %o',
    (made: new () => object) => {
      const child = container.createChildContainer();
      child.registerSingleton(made);
      expect(child.resolve(made)).toBeInstanceOf(made);
    },
  );

  it('takes a factory', async () => {
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, { useFactory: () => makeSite().tokens });
    const client = await connectTo({ connect: withUserFromToken(() => {}) }, { ...makeSite().options, container: child, cookies });
    expect(client.user).toBe(alice);
  });

  it('finds in the global container what the server’s own, which is no child of it, does not have', async () => {
    const { tokens, options } = makeSite();
    container.register(TOKEN_REPOSITORY, { useValue: tokens });
    try {
      const own = { isRegistered: () => false, resolve: () => undefined } as unknown as typeof container;
      const client = await connectTo({ connect: withUserFromToken(() => {}) }, { ...options, container: own, cookies });
      expect(client.user).toBe(alice);
    } finally {
      container.reset();
    }
  });

  it('passes on what a factory throws when the server is built', () => {
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, {
      useFactory: () => {
        throw new RangeError('no database');
      },
    });
    expect(thrownBy(() => new ChannelServer({ connect: withUserFromToken(() => {}) }, { container: child }))).toBeInstanceOf(RangeError);
  });
});
