import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Runtime } from '../channel/runtime.js';
import { ChannelError, codeOf } from '../errors.js';
import { lookUpFailed } from '../identity/bounded-look-up.js';
import type { Identification } from '../identity/identification.js';
import { checkRequest, identificationOf } from '../identity/identify-request.js';
import type { BoundSource } from '../identity/user-source.js';
import { kindOf } from '../kind-of.js';
import { refusedOrigin } from '../refused-origin.js';
import { isThrown, memberOf } from '../thrown.js';
import { withDeadline } from '../time/deadline.js';
import { answer, isAnswered, Refused } from './answer.js';
import { jsonBody } from './json-body.js';

/**
 * Answers one HTTP request: a listener of `node:http` and `node:http2`, and a handler or middleware of Connect and Express. Rejects only
 * with a `TypeError`, where it is given something else than these give it.
 */
export type ExchangeHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => Promise<void>;

/** One request that is being answered. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, request: IncomingMessage, response: ServerResponse) {
    this.#runtime = runtime;
    this.request = request;
    this.response = response;
  }

  /** The time, on the server's wall clock. */
  get now(): number {
    return this.#runtime.clock.now();
  }

  /**
   * Whether a page of this site had its cookies sent. What `Origin` says was looked at before; where nothing tells, it may have been
   * another site's.
   */
  get areCookiesMeant(): boolean {
    const { headers } = this.request;
    return headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin';
  }

  /**
   * Who sent the request, by `sources`.
   *
   * @throws {Refused} 403 where a cookie says so, and nothing that the page did.
   */
  async identify(sources: readonly BoundSource[]): Promise<Identification> {
    const { timeLimit, reporter } = this.#runtime;
    const identity = await identificationOf(this.request, sources, timeLimit, true);
    const { source, carrier = 'cookie' } = identity.authentication ?? {};
    if (source !== undefined && carrier === 'cookie' && !this.areCookiesMeant) {
      reporter.warn(new ChannelError('ERR_ORIGIN_REFUSED', textForForged));
      throw new Refused(403);
    }
    return identity;
  }

  /**
   * What `run` comes to, under the deadline of the server's look-ups.
   *
   * @param doing what it is, for the error: a phrase that begins a sentence.
   * @throws {ChannelError} `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT`, which are 503.
   */
  async ask<T>(doing: string, run: () => Promise<T>): Promise<T> {
    const { timeLimit } = this.#runtime;
    const onTimeout = (): Error => new ChannelError('ERR_LOOKUP_TIMEOUT', `${doing} took longer than ${timeLimit.ms} ms.`);
    try {
      return await withDeadline(run, { ...timeLimit, onTimeout });
    } catch (error) {
      const code = isThrown(error, Error) ? memberOf(error, 'code') : undefined;
      if (code === 'ERR_USER_UNKNOWN') throw new Refused(401);
      if (code === 'ERR_TOKEN_LIMIT') throw new Refused(409);
      throw lookUpFailed(error, doing);
    }
  }

  /**
   * What the request says in its body; `undefined` where it has none.
   *
   * @throws {Refused} 400, 408 or 413 where it says nothing clear in time.
   */
  body(): Promise<unknown> {
    return withDeadline(() => jsonBody(this.request), { ...this.#runtime.timeLimit, onTimeout: () => new Refused(408) });
  }

  /** Reports what does not keep the request from being answered. */
  report(error: unknown): void {
    this.#runtime.reporter.error(error);
  }
}

const textForForged =
  'A POST with cookies and without Origin was refused: browsers send Origin with every POST, so that pages of other sites are told apart. A ' +
  'client that is no browser sends Origin itself, or its token in the Authorization header.';

/**
 * @throws {TypeError} unless `response` is one of `node:http` or `node:http2`: frameworks have others, through which nothing can be
 * answered.
 */
function checkResponse(owner: string, response: unknown): asserts response is ServerResponse {
  if (typeof response === 'object' && response !== null && typeof Reflect.get(response, 'setHeader') === 'function') return;
  throw new TypeError(`${owner}: response must be a ServerResponse of node:http, got ${kindOf(response)}`);
}

/**
 * A handler of POST requests of the server's own pages; all others are refused before `run` is called.
 *
 * @param owner whom errors name.
 */
export function exchangeRoute(owner: string, runtime: Runtime, run: (exchange: Exchange) => Promise<void>): ExchangeHandler {
  return async (request, response) => {
    checkRequest(owner, request);
    checkResponse(owner, response);
    if (isAnswered(response)) return;
    try {
      if (request.method !== 'POST') throw new Refused(405);
      if (!runtime.isOriginAllowed(request)) {
        runtime.reporter.warn(refusedOrigin(request));
        throw new Refused(403);
      }
      await run(new Exchange(runtime, request, response));
    } catch (error) {
      refuse(runtime, request, response, error);
    }
  };
}

function refuse(runtime: Runtime, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (isThrown(error, Refused)) {
    answer(request, response, error.status);
    return;
  }
  runtime.reporter.error(error);
  const code = codeOf(error);
  answer(request, response, code === 'ERR_LOOKUP_FAILED' || code === 'ERR_LOOKUP_TIMEOUT' ? 503 : 500);
}
