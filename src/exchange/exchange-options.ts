import { anObject, anything, type Rule, type Rules } from '../checked-options.js';
import type { TokenIssuer } from '../contracts/token-repository.js';
import type { AnySource } from '../identity/user-source.js';
import { dayMs } from '../time/time-spans.js';
import type { TokenCookieOptions } from './token-cookie.js';

/** Options that the handlers of tokens share. */
export interface ExchangeOptions {
  /** Issues and revokes the tokens. @default what is registered as `TOKEN_REPOSITORY`, if it is an issuer as well */
  readonly tokens?: TokenIssuer | undefined;
  /** Who sends the requests, as for `withUserFrom`. @default the sources of the server's wrappers */
  readonly sources?: readonly [AnySource, ...AnySource[]] | undefined;
  /** The cookie in which browsers keep the token. With `false` clients keep it themselves, and get it as JSON. @default {} */
  readonly cookie?: TokenCookieOptions | false | undefined;
}

/** Whether it is a cookie's options is seen by the cookie itself. */
const cookieOrNone: Rule = {
  must: 'an object or false',
  accepts: (value) => value === false || anObject.accepts(value),
};

/** What the shared options must be; the server and `sourcesOf` look at the rest. */
export const exchangeRules: Rules<ExchangeOptions> = {
  tokens: anything,
  sources: anything,
  cookie: cookieOrNone,
};

/** How long tokens live, in milliseconds, unless an option says otherwise: 14 days. */
export const defaultTtlMs: number = 14 * dayMs;
