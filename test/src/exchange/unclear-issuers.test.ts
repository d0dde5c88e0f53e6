import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  type ExchangeHandler,
  fromHttpSession,
  fromToken,
  issueTokenHandler,
  renewTokenHandler,
  revokeTokenHandler,
  type TicketStore,
  type TokenIssuer,
  ticketHandler,
  withUserFrom,
} from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { aliceKey, codesOf, expectProcessToLive } from '../../support/site.js';
import { makeExchangeSite, serveOverHttp } from './exchanging.js';

expectProcessToLive();

type Answers = { readonly [Method in keyof TokenIssuer]?: () => unknown } & { readonly ticket?: () => unknown };

/** A site whose issuer, or store of tickets, answers whatever it is told to. */
async function answering(answers: Answers, make: (channels: ChannelServer, issuer: TokenIssuer, tickets: TicketStore) => ExchangeHandler) {
  const site = makeExchangeSite();
  const { tokens, users, sessions } = site;
  const issuer = Object.assign(Object.create(tokens), answers) as typeof tokens;
  const connect = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))(() => undefined);
  const channels = new ChannelServer({ connect }, site.options);
  const tickets = { issue: answers.ticket, consume: async () => undefined } as unknown as TicketStore;
  return { site, ...(await serveOverHttp(make(channels, issuer, tickets))) };
}

/** What is neither a token nor its end nor a ticket. */
const nonsense: readonly unknown[] = [true, 7, [], {}, new Map(), () => 'key', { key: 7 }, { key: '' }];
/** A token whose end is none. */
const endless: readonly unknown[] = [
  { key: aliceKey, expiresAt: '2030-01-01' },
  { key: aliceKey, expiresAt: new Date(Number.NaN) },
];

const unclear = { status: 503, json: { error: 'try_again_later' }, cookies: [] };

describe('what an issuer answers that nobody can keep', () => {
  it('is 503 where a token is issued, and the client is told nothing of it', async () => {
    for (const answer of [undefined, null, 'key', ...nonsense, ...endless]) {
      for (const cookie of [undefined, false] as const) {
        const { site, ask } = await answering({ issue: async () => answer }, (channels, tokens) =>
          issueTokenHandler(channels, { tokens, cookie }),
        );
        expect(await ask({ cookie: site.logIn('bob') })).toMatchObject(unclear);
        expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
      }
    }
  });

  it('is 503 where a token is rotated or extended', async () => {
    for (const answer of [false, ...nonsense, ...endless]) {
      for (const mode of ['rotate', 'extend'] as const) {
        const { site, ask } = await answering({ [mode]: async () => answer }, (channels, tokens) =>
          renewTokenHandler(channels, { tokens, mode }),
        );
        expect(await ask({ cookie: `key=${aliceKey}` })).toMatchObject(unclear);
        expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
      }
    }
  });

  it('is 503 where tokens are listed, and the cookie is kept', async () => {
    for (const answer of [undefined, null, {}, 7, [null]]) {
      const { site, ask } = await answering({ listOf: async () => answer }, (channels, tokens) =>
        revokeTokenHandler(channels, { tokens, all: true }),
      );
      expect(await ask({ cookie: `key=${aliceKey}` })).toMatchObject(unclear);
      expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
    }
  });

  it('is 503 where it does not come in time', async () => {
    const asked = deferred();
    const issue = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    const { site, ask } = await answering({ issue }, (channels, tokens) => issueTokenHandler(channels, { tokens }));
    const answer = ask({ cookie: site.logIn('bob') });
    await asked.promise;
    await site.clock.advance(5_000);
    expect(await answer).toMatchObject(unclear);
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
  });

  it('is 503 where a ticket is issued: what else a store gives is not for the client', async () => {
    for (const answer of [undefined, null, '', { userId: 'alice', secret: 1 }, ...nonsense]) {
      const { site, ask } = await answering({ ticket: async () => answer }, (channels, _tokens, tickets) =>
        ticketHandler(channels, { tickets }),
      );
      expect(await ask({ cookie: `key=${aliceKey}` })).toMatchObject(unclear);
      expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
    }
  });
});

describe('null of an issuer, as rows of a database have it', () => {
  it('is no token where one is renewed: 401', async () => {
    for (const mode of ['rotate', 'extend'] as const) {
      const { site, ask } = await answering({ [mode]: async () => null }, (channels, tokens) =>
        renewTokenHandler(channels, { tokens, mode }),
      );
      expect(await ask({ cookie: `key=${aliceKey}` })).toMatchObject({ status: 401, cookies: [] });
      expect(site.errors).toEqual([]);
    }
  });

  it('is no end of a token: it is as if nothing was said of it', async () => {
    const token = { key: aliceKey, expiresAt: null };
    const { site, ask } = await answering({ issue: async () => token }, (channels, tokens) =>
      issueTokenHandler(channels, { tokens, ttlMs: 5_000 }),
    );
    const { status, json } = await ask({ cookie: site.logIn('bob') });
    expect([status, json]).toEqual([200, { expiresAt: new Date(site.clock.now() + 5_000).toISOString() }]);
  });
});
