import type { IncomingMessage, ServerResponse } from 'node:http';
import { stringifySetCookie } from 'cookie';
import { aFlag, checkedOptions, oneOf, type Rule, type Rules } from '../checked-options.js';
import { type CredentialSource, cookieValues } from '../identity/credentials.js';
import type { BoundSource } from '../identity/user-source.js';
import { dayMs } from '../time/time-spans.js';
import { isAnswered } from './answer.js';

/** How a token's cookie is set. It is always `HttpOnly`, and lives as long as its token. */
export interface TokenCookieOptions {
  /**
   * The place of `from` where it is read: `cookie('key')`, `hostCookie()`. Its name says what browsers demand of it.
   *
   * @default the first cookie that a `fromToken` of the server reads, or else any of its sources
   */
  readonly at?: CredentialSource | undefined;
  /**
   * Whether pages of other sites send it along: `'strict'` never, `'lax'` with navigations, `'none'` always (then it is `Secure`).
   *
   * @default 'lax'
   */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** Keeps it apart for each top-level site (CHIPS), for pages that are embedded in others. Then it is `Secure`. @default false */
  readonly partitioned?: boolean | undefined;
  /** Whether it is sent only over HTTPS. @default true, except for requests of pages whose `Origin` is one of plain `http:` */
  readonly secure?: boolean | undefined;
  /** A parent domain to whose hosts it is sent. @default this host only */
  readonly domain?: string | undefined;
  /** To which paths it is sent. @default '/' */
  readonly path?: string | undefined;
}

const aCookie: Rule = {
  must: 'a place made by cookie(…) or hostCookie(…)',
  accepts: (value) => {
    const place = value as Partial<CredentialSource> | null;
    return typeof place === 'object' && typeof place?.find === 'function' && place.carrier === 'cookie' && place.presents !== 'ticket';
  },
};

const rules: Rules<TokenCookieOptions> = {
  at: aCookie,
  sameSite: oneOf(['strict', 'lax', 'none']),
  partitioned: aFlag,
  secure: aFlag,
  domain: {
    must: 'the name of a domain, in ASCII',
    accepts: (domain) => typeof domain === 'string' && domain !== '' && canBeSet({ domain }),
  },
  path: {
    must: 'a path that begins with /, as it stands in a URL',
    accepts: (path) => typeof path === 'string' && /^\/\S*$/.test(path) && canBeSet({ path }),
  },
};

/** Whether a cookie can be set with them: else no request could be answered. */
function canBeSet(attributes: { readonly domain: string } | { readonly path: string }): boolean {
  try {
    stringifySetCookie({ name: 'key', value: '', ...attributes });
    return true;
  } catch {
    return false;
  }
}

/** Browsers keep no cookie for longer (draft-ietf-httpbis-rfc6265bis, section 5.5). */
const maxAgeMs = 400 * dayMs;

/** The cookie in which tokens travel: one definition for what reads it, sets it and takes it away. */
export class TokenCookie {
  /** Where it is read. */
  readonly at: CredentialSource;
  readonly #options: TokenCookieOptions;
  /** The names of the cookies that are read in its place. */
  readonly #others: readonly string[];

  /**
   * @param owner whom errors name.
   * @param read the places in which the server's wrappers look for tokens.
   * @param sources those of the tokens. What stands in another cookie that one of them reads in place of this one is taken away with it, or
   * when it is set: it would count again, or instead.
   * @throws {TypeError} when an option is not what it must be, contradicts another or the name, or nobody reads the cookie.
   */
  constructor(owner: string, given: TokenCookieOptions | undefined, read: readonly CredentialSource[], sources: readonly BoundSource[]) {
    const options = checkedOptions(`${owner}: cookie`, given, rules);
    const cookies = read.filter((place) => aCookie.accepts(place));
    const ofTokens = sources.map(({ places = [] }) => places.filter((place) => aCookie.accepts(place)));
    const isRead = ({ name }: CredentialSource): boolean => cookies.some((place) => place.name === name);
    const isMeant = ({ name }: CredentialSource): boolean => options.at === undefined || name === options.at.name;
    // as it is read: what a place of the application's own gives is looked at there. Other sources may read something else in theirs
    const at = [...ofTokens.flat().filter(isRead), ...cookies].find(isMeant);
    if (at === undefined) {
      const got = cookies.length === 0 ? 'a server that reads none' : `one that reads ${cookies.map(({ name }) => name).join(', ')}`;
      throw new TypeError(
        `${owner}: cookie must be one that a wrapper of the server reads, from: cookie('${options.at?.name ?? 'key'}'), got ${got}; ` +
          'or false, for JSON',
      );
    }
    checkAgainstName(owner, at.name, options);
    this.at = at;
    this.#options = options;
    const alike = ofTokens.filter((places) => places.some(({ name }) => name === at.name)).flat();
    this.#others = alike.map(({ name }) => name).filter((name) => name !== at.name);
  }

  /** Has the client keep `key` until `endsAt`; `undefined` where its token never ends. */
  set(
    request: IncomingMessage,
    response: ServerResponse,
    token: { readonly key: string; readonly endsAt: Date | undefined },
    now: number,
  ): void {
    const leftMs = Math.min(maxAgeMs, (token.endsAt?.getTime() ?? Number.POSITIVE_INFINITY) - now);
    const maxAge = Math.max(0, Math.ceil(leftMs / 1000));
    // first: who knows no `Partitioned`, or keeps domains without a dot, takes the former for the same cookie
    this.#clearOthers(request, response);
    this.#append(request, response, { name: this.at.name, value: token.key, maxAge, expires: new Date(now + Math.max(0, leftMs)) });
  }

  /** Has the client forget it. */
  clear(request: IncomingMessage, response: ServerResponse): void {
    this.#append(request, response, cleared(this.at.name));
    this.#clearOthers(request, response);
  }

  /**
   * What would count again, or beside it, so that none did: cookies that are read in its place, and those from before they had such
   * attributes.
   */
  #clearOthers(request: IncomingMessage, response: ServerResponse): void {
    const { domain, path = '/', partitioned = false, ...former } = this.#options;
    for (const name of [this.at.name, ...this.#others]) {
      if (cookieValues(request.headers.cookie, name).length === 0) continue;
      if (name !== this.at.name) this.#append(request, response, cleared(name));
      const isLikeFormer = !partitioned && (hostPrefix.test(name) || (domain === undefined && path === '/'));
      if (!isLikeFormer) this.#append(request, response, cleared(name), former);
    }
  }

  #append(request: IncomingMessage, response: ServerResponse, { name, ...what }: CookieValue, options = this.#options): void {
    if (isAnswered(response)) return; // by somebody else meanwhile, who would not wait
    const { sameSite = 'lax', partitioned = false, domain, path = '/' } = options;
    const isHeldToItsHost = hostPrefix.test(name);
    const secure = isHeldToHttps(name, options) || (options.secure ?? !isOfPlainPage(request));
    const where = isHeldToItsHost || domain === undefined ? {} : { domain };
    const attributes = { httpOnly: true, secure, sameSite, path: isHeldToItsHost ? '/' : path, partitioned, ...where };
    response.appendHeader('Set-Cookie', stringifySetCookie({ name, ...what, ...attributes }));
  }
}

/** What a cookie holds, and for how long. */
interface CookieValue {
  readonly name: string;
  readonly value: string;
  /** In seconds. */
  readonly maxAge: number;
  readonly expires: Date;
}

function cleared(name: string): CookieValue {
  return { name, value: '', maxAge: 0, expires: new Date(0) };
}

/** What begins the name of a cookie that browsers take for one host and all its paths alone. */
const hostPrefix = /^__Host-/i;

/** Whether browsers take it with `Secure` alone. */
function isHeldToHttps(name: string, { sameSite, partitioned }: TokenCookieOptions): boolean {
  return /^__(Secure|Host|Http)-/i.test(name) || sameSite === 'none' || partitioned === true;
}

/** Whether a page of plain HTTP sent the request: it would lose a `Secure` cookie. */
function isOfPlainPage({ headers: { origin } }: IncomingMessage): boolean {
  return origin !== undefined && /^http:/i.test(origin);
}

function checkAgainstName(owner: string, name: string, options: TokenCookieOptions): void {
  const { secure, domain, path = '/' } = options;
  if (secure === false && isHeldToHttps(name, options)) {
    throw new TypeError(`${owner}: cookie.secure must be true for ${name} with these options, since browsers take it so alone; got false`);
  }
  if (!hostPrefix.test(name)) return;
  if (domain !== undefined) throw new TypeError(`${owner}: cookie.domain must be absent for ${name}, which is held to its host; got one`);
  if (path !== '/') throw new TypeError(`${owner}: cookie.path must be / for ${name}, which is held to its host; got another`);
}
