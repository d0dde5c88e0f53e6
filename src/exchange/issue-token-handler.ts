import type { IncomingMessage } from 'node:http';
import { copyOfScopes } from '../checked-issue-options.js';
import { aListOfStrings, anInteger, checkedOptions, type Rule, type Rules } from '../checked-options.js';
import type { Identification } from '../identity/identification.js';
import type { BoundSource } from '../identity/user-source.js';
import { kindOf } from '../kind-of.js';
import { ignore } from '../maybe-promise.js';
import type { ChannelServer } from '../server/channel-server.js';
import { maxTtlMs } from '../time/time-spans.js';
import { answer, Refused } from './answer.js';
import { type AnsweredToken, checkedToken } from './checked-answers.js';
import { issuerOf } from './exchange-issuer.js';
import { defaultTtlMs, type ExchangeOptions, exchangeRules } from './exchange-options.js';
import { type Exchange, type ExchangeHandler, exchangeRoute } from './exchange-route.js';
import { sourcesOf } from './exchange-sources.js';
import { runtimeOf } from './runtime-of.js';
import { TokenCookie } from './token-cookie.js';

/** Options of {@link issueTokenHandler}. */
export interface IssueTokenOptions extends ExchangeOptions {
  /** How long the token and its cookie live, in milliseconds, an integer from 1 to 3,153,600,000,000. @default 1,209,600,000 (14 days) */
  readonly ttlMs?: number | undefined;
  /** What the user calls the token, or a function of the request that gives it. @default none */
  readonly label?: string | ((request: IncomingMessage) => string | undefined) | undefined;
  /** What the token may be used for, in the application's words. @default none */
  readonly scopes?: readonly string[] | undefined;
}

const aLabel: Rule = { must: 'a string or a function', accepts: (value) => typeof value === 'string' || typeof value === 'function' };
const rules: Rules<IssueTokenOptions> = { ...exchangeRules, ttlMs: anInteger(1, maxTtlMs), label: aLabel, scopes: aListOfStrings };

const owner = 'issueTokenHandler';

/**
 * Gives a token to whoever is logged in on the web site: `POST` → 200 with the token in a cookie and `{ expiresAt }`, or with
 * `cookie: false` `{ token, expiresAt }`. A browser that has a token of the same user in that cookie keeps it.
 *
 * It finds the log-in by those sources of `sources`, or of the server's wrappers, that are not tokens. If there are none, it reads the HTTP
 * session through what is registered as `HTTP_SESSION_READER` and `USER_REPOSITORY`. A token gives no other token: renew it instead.
 *
 * Refuses by 405, 403 (another site's page), 401 (nobody is logged in), 409 (too many tokens) and 503.
 *
 * @throws {TypeError} when an option is not what it must be, or the server does not read tokens from such a cookie.
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING`.
 */
export function issueTokenHandler(channels: ChannelServer, options: IssueTokenOptions = {}): ExchangeHandler {
  const { tokens, sources, cookie: given, ttlMs = defaultTtlMs, label, scopes } = checkedOptions(owner, options, rules);
  const runtime = runtimeOf(owner, channels);
  const issuer = issuerOf(owner, runtime, tokens, 'issue');
  const logIns = sourcesOf(owner, runtime, sources, 'log-in');
  const held = (runtime.plan.sources ?? []).filter(({ source }) => source === 'token');
  const cookie = given === false ? undefined : new TokenCookie(owner, given, runtime.credentials.sources, held);
  const copied = copyOfScopes(scopes);
  return exchangeRoute(owner, runtime, async (exchange) => {
    const { request, response } = exchange;
    const { user } = await exchange.identify(logIns);
    if (!user.isAuthenticated) throw new Refused(401);
    const known = cookie && (await heldBy(user.id, exchange, held, cookie));
    if (known !== undefined) {
      answer(request, response, 200, { expiresAt: known.authentication?.expiresAt });
      return;
    }
    const asked = { ttlMs, label: labelFor(request, label), scopes: copied };
    const issue = async (): Promise<AnsweredToken> => checkedToken(await issuer.issue(user.id, asked), 'tokens.issue');
    const { key, expiresAt = new Date(exchange.now + ttlMs) } = await exchange.ask('Issuing a token', issue);
    cookie?.set(request, response, { key, endsAt: expiresAt }, exchange.now);
    answer(request, response, 200, cookie === undefined ? { token: key, expiresAt } : { expiresAt });
  });
}

/** @throws {TypeError} when the application's function gives anything but a string or nothing, a promise included. */
function labelFor(request: IncomingMessage, label: IssueTokenOptions['label']): string | undefined {
  const found: unknown = typeof label === 'function' ? label(request) : label;
  if (typeof found === 'string' || found == null) return found ?? undefined;
  ignore(found);
  throw new TypeError(`${owner}: label must return a string or nothing, got ${kindOf(found)}`);
}

/** The token of user `id` that the client keeps in the cookie already, and that counts. */
async function heldBy(
  id: string,
  exchange: Exchange,
  sources: readonly BoundSource[],
  { at }: TokenCookie,
): Promise<Identification | undefined> {
  if (sources.length === 0 || at.find(exchange.request).kind !== 'key') return undefined;
  const identity = await exchange.identify(sources);
  return identity.user.id === id && identity.authentication?.carrier === 'cookie' ? identity : undefined;
}
