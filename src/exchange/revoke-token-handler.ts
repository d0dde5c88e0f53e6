import { checkedOptions, type Rule, type Rules } from '../checked-options.js';
import type { ChannelServer } from '../server/channel-server.js';
import type { TokenId } from '../token-id.js';
import { answer, Refused } from './answer.js';
import { issuerOf } from './exchange-issuer.js';
import { type ExchangeOptions, exchangeRules } from './exchange-options.js';
import { type Exchange, type ExchangeHandler, exchangeRoute } from './exchange-route.js';
import { sourcesOf } from './exchange-sources.js';
import { presentedTokens } from './presented-tokens.js';
import { runtimeOf } from './runtime-of.js';
import { TokenCookie } from './token-cookie.js';

/** Options of {@link revokeTokenHandler}. */
export interface RevokeTokenOptions extends ExchangeOptions {
  /**
   * Whether all tokens of the user are revoked, not only that of the request: always, never, or if the request asks for it, in its query
   * (`?all=true`) or in its JSON body (`{ "all": true }`, of at most 1,024 bytes).
   *
   * @default false
   */
  readonly all?: boolean | 'query' | 'body' | undefined;
}

const whichTokens: Rule = {
  must: "true, false, 'query' or 'body'",
  accepts: (value) => [true, false, 'query', 'body'].includes(value as never),
};
const rules: Rules<RevokeTokenOptions> = { ...exchangeRules, all: whichTokens };

const owner = 'revokeTokenHandler';

/**
 * Logs out: revokes the tokens that a request brings, or all tokens of its user, and removes the cookie. `POST` → 204, also if nobody is
 * logged in. Channels of these tokens end with 3000 `token revoked`.
 *
 * Refuses by 405, 403 (another site's page), 400, 408 and 413 (a malformed, slow or large body) and 503.
 *
 * @throws {TypeError} when an option is not what it must be, or the server does not read tokens (from such a cookie).
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING`.
 */
export function revokeTokenHandler(channels: ChannelServer, options: RevokeTokenOptions = {}): ExchangeHandler {
  const { tokens, sources, cookie: given, all = false } = checkedOptions(owner, options, rules);
  const runtime = runtimeOf(owner, channels);
  const issuer = issuerOf(owner, runtime, tokens, 'revoke', 'revokeAllOf', 'listOf');
  const ofTokens = sourcesOf(owner, runtime, sources, 'token');
  const logIns = sourcesOf(owner, runtime, sources, 'any').flatMap((source) =>
    source.source === 'token' ? [] : [source.unending ?? source],
  );
  const cookie = given === false ? undefined : new TokenCookie(owner, given, runtime.credentials.sources, ofTokens);

  /** Revokes, and has the channels end that nobody else ends: an issuer may tell of nothing. */
  const revoke = async (exchange: Exchange, ids: readonly TokenId[], run: () => Promise<boolean | number>): Promise<void> => {
    // what was none of its tokens, as anybody can send it, is told to nobody
    if (!(await exchange.ask('Revoking a token', run))) return;
    for (const id of ids) await channels.disconnectToken(id).catch((error: unknown) => exchange.report(error));
  };

  return exchangeRoute(owner, runtime, async (exchange) => {
    const { request, response } = exchange;
    const isOfAll = await isAllAskedFor(exchange, all);
    const { user, authentication } = await exchange.identify(ofTokens);
    const whose = isOfAll && !user.isAuthenticated ? (await exchange.identify(logIns)).user : user;
    const presented = new Set(presentedTokens(exchange, ofTokens));
    // which cookies of a neighbouring site may have crowded out
    if (authentication?.tokenId !== undefined) presented.add(authentication.tokenId);
    if (isOfAll && whose.isAuthenticated) {
      const ids = await exchange.ask('Listing tokens', async () => (await issuer.listOf(whose.id)).map(({ id }) => id));
      await revoke(exchange, ids, () => issuer.revokeAllOf(whose.id));
      for (const id of ids) presented.delete(id);
    }
    await Promise.all(Array.from(presented, (id) => revoke(exchange, [id], () => issuer.revoke(id))));
    cookie?.clear(request, response);
    answer(request, response, 204);
  });
}

async function isAllAskedFor(exchange: Exchange, all: NonNullable<RevokeTokenOptions['all']>): Promise<boolean> {
  if (typeof all === 'boolean') return all;
  if (all === 'query') {
    const { url = '' } = exchange.request;
    return new URLSearchParams(url.split('?').slice(1).join('?')).get('all') === 'true';
  }
  const body = await exchange.body();
  if (body === undefined) return false;
  if (typeof body !== 'object' || body === null) throw new Refused(400);
  return Reflect.get(body, 'all') === true;
}
