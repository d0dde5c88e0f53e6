import type { Runtime } from '../channel/runtime.js';
import { anInteger, checkedOptions, oneOf, type Rules } from '../checked-options.js';
import type { ChannelServer } from '../server/channel-server.js';
import { dayMs, latestTime, maxTtlMs } from '../time/time-spans.js';
import { digestOf, type TokenId } from '../token-id.js';
import { answer, Refused } from './answer.js';
import { checkedEnd, checkedToken } from './checked-answers.js';
import { issuerOf } from './exchange-issuer.js';
import { defaultTtlMs, type ExchangeOptions, exchangeRules } from './exchange-options.js';
import { type Exchange, type ExchangeHandler, exchangeRoute } from './exchange-route.js';
import { sourcesOf } from './exchange-sources.js';
import { runtimeOf } from './runtime-of.js';
import { TokenCookie } from './token-cookie.js';

/** Options of {@link renewTokenHandler}. */
export interface RenewTokenOptions extends ExchangeOptions {
  /** `'rotate'` exchanges the token for a new one, with another key; `'extend'` lengthens its life. @default 'rotate' */
  readonly mode?: 'rotate' | 'extend' | undefined;
  /** How long the token lives from now on, in milliseconds, an integer from 1 to 3,153,600,000,000. @default 1,209,600,000 (14 days) */
  readonly ttlMs?: number | undefined;
  /** With `'rotate'`, how long the old key still works, in milliseconds, an integer from 0 to 86,400,000. @default 60,000 */
  readonly graceMs?: number | undefined;
  /**
   * How old a token may become, counted from the first one of its chain, in milliseconds, an integer from 1 to 3,153,600,000,000. Then a
   * new log-in is needed.
   *
   * @default no bound
   */
  readonly maxAgeMs?: number | undefined;
}

const rules: Rules<RenewTokenOptions> = {
  ...exchangeRules,
  mode: oneOf(['rotate', 'extend']),
  ttlMs: anInteger(1, maxTtlMs),
  graceMs: anInteger(0, dayMs),
  maxAgeMs: anInteger(1, maxTtlMs),
};

const owner = 'renewTokenHandler';

/** What became of a token. */
interface Renewed {
  /** Its new key; `undefined` where it keeps its own. */
  readonly key?: string;
  /** `undefined` where it never ends. */
  readonly endsAt: Date | undefined;
}

/** Renews the token with this id; `undefined` where it counts no more. */
type Renew = (exchange: Exchange, id: TokenId) => Promise<Renewed | undefined>;

/**
 * Renews the token of a request: `POST` → 200 and `{ expiresAt }`, with the new cookie if the token came in one, else with the new key as
 * `token`. Live channels follow: a channel whose token is extended lives on; a channel whose token is rotated goes over to the new one.
 *
 * Refuses by 405, 403 (another site's page), 401 (no valid token), 409 (renewed before, and too many tokens) and 503.
 *
 * @throws {TypeError} when an option is not what it must be, the issuer cannot renew, or the server does not read tokens (from such a
 * cookie).
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING`.
 */
export function renewTokenHandler(channels: ChannelServer, options: RenewTokenOptions = {}): ExchangeHandler {
  const { sources, cookie: given, ...how } = checkedOptions(owner, options, rules);
  const runtime = runtimeOf(owner, channels);
  const renew = how.mode === 'extend' ? extending(runtime, how) : rotating(runtime, how);
  const asked = sourcesOf(owner, runtime, sources, 'token');
  const cookie = given === false ? undefined : new TokenCookie(owner, given, runtime.credentials.sources, asked);
  return exchangeRoute(owner, runtime, async (exchange) => {
    const { request, response } = exchange;
    const { tokenId, authentication } = await exchange.identify(asked);
    const renewed = tokenId && (await renew(exchange, tokenId));
    if (renewed === undefined) throw new Refused(401);
    const { key, endsAt: expiresAt } = renewed;
    if (cookie === undefined || authentication?.carrier !== 'cookie') {
      answer(request, response, 200, { token: key, expiresAt });
      return;
    }
    const kept = key ?? keyIn(exchange, cookie, tokenId);
    if (kept !== undefined) cookie.set(request, response, { key: kept, endsAt: expiresAt }, exchange.now);
    answer(request, response, 200, { expiresAt });
  });
}

function extending(runtime: Runtime, { tokens, ttlMs = defaultTtlMs, maxAgeMs }: RenewTokenOptions): Renew {
  const issuer = issuerOf(owner, runtime, tokens, 'extend');
  return async (exchange, id) => {
    const extend = async (): Promise<Date | undefined> => checkedEnd(await issuer.extend(id, { ttlMs, maxAgeMs }), 'tokens.extend');
    const endsAt = await exchange.ask('Extending a token', extend);
    return endsAt && { endsAt: endsAt.getTime() === latestTime ? undefined : endsAt };
  };
}

function rotating(runtime: Runtime, { tokens, ttlMs = defaultTtlMs, maxAgeMs, graceMs = 60_000 }: RenewTokenOptions): Renew {
  const issuer = issuerOf(owner, runtime, tokens, 'rotate');
  return async (exchange, id) => {
    const token = await exchange.ask('Rotating a token', async () => {
      const rotated = await issuer.rotate(id, { graceMs, ttlMs, maxAgeMs });
      return rotated == null ? undefined : checkedToken(rotated, 'tokens.rotate');
    });
    return token && { key: token.key, endsAt: token.expiresAt };
  };
}

/** The key of that token, which the client keeps in the cookie: a cookie of another name may have brought it. */
function keyIn({ request }: Exchange, { at }: TokenCookie, id: TokenId | undefined): string | undefined {
  const found = at.find(request);
  return found.kind === 'key' && digestOf(found.key) === id ? found.key : undefined;
}
