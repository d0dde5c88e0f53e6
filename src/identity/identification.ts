import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../authentication.js';
import type { TokenId } from '../token-id.js';
import { type AnonymousUser, type AppUser, type AuthenticatedUser, anonymousUser } from '../users.js';
import type { BoundSource, Finding, HandshakeLookUps } from './user-source.js';

const nothing: Finding = Object.freeze({ user: undefined, authentication: Object.freeze({ outcome: 'missing', source: undefined }) });

/** Who speaks: found once, of the handshake, and known from then on. */
export class Identification {
  #finding: Finding | undefined;
  #hasReadHttpSession = false;
  #handshakeHttpSessionId: string | undefined;

  /**
   * Asks `sources` in turn: the first that yields a user decides. One that fails ends the search with its error. If none yields a user, the
   * outcome is that of the first that presented something.
   */
  async find(request: IncomingMessage, sources: readonly BoundSource[], lookUps: HandshakeLookUps): Promise<void> {
    let first: Finding | undefined;
    let empty: Finding | undefined; // a session in which nobody has logged in: it says less than a token that counts no more
    for (const source of sources) {
      const finding = await source.find(request, lookUps);
      if (finding.user !== undefined) {
        this.#finding = finding;
        return;
      }
      if (finding.authentication.outcome !== 'missing') first ??= finding;
      else if (finding.authentication.source !== undefined) empty ??= finding;
    }
    this.#finding = first ?? empty ?? nothing;
  }

  get user(): AppUser | AnonymousUser {
    return (this.#finding?.user ?? anonymousUser) as AppUser | AnonymousUser;
  }

  /** `undefined` where nobody looked. */
  get authentication(): Authentication | undefined {
    return this.#finding?.authentication;
  }

  /** The id of the token through which the user was found. */
  get tokenId(): TokenId | undefined {
    return this.#finding?.user === undefined ? undefined : this.#finding.authentication.tokenId;
  }

  /** The id of the HTTP session through which the user was found, or with which nobody has logged in. */
  get httpSessionId(): string | undefined {
    return this.#finding?.authentication.source === 'http-session' ? this.#handshakeHttpSessionId : undefined;
  }

  /** Whether the user was found through the HTTP session. */
  get isOfHttpSession(): boolean {
    return this.#finding?.user !== undefined && this.#finding.authentication.source === 'http-session';
  }

  /** Notes the id under which the HTTP session of the handshake is found again. */
  rememberHttpSession(id: string | undefined): void {
    this.#hasReadHttpSession = true;
    this.#handshakeHttpSessionId = id;
  }

  /** Whether anybody asked for the HTTP session of the handshake. */
  get hasReadHttpSession(): boolean {
    return this.#hasReadHttpSession;
  }

  /** The id of the HTTP session of the handshake, whatever identified the channel. */
  get handshakeHttpSessionId(): string | undefined {
    return this.#handshakeHttpSessionId;
  }
}

/**
 * `user` itself, if it is one: a repository that returns anything else must not authenticate anybody.
 *
 * @throws {TypeError} naming the method that returned it and what it lacks.
 */
export function checkedUser(user: unknown, method: string): AuthenticatedUser {
  const candidate = user as Partial<AuthenticatedUser> | null | undefined;
  if (typeof candidate?.id !== 'string' || candidate.id === '') {
    throw new TypeError(
      `${method} returned a user whose id is not a string; an AuthenticatedUser has { id: string, isAuthenticated: true }`,
    );
  }
  if (candidate.isAuthenticated !== true) {
    throw new TypeError(
      `${method} returned a user without isAuthenticated: true; an AuthenticatedUser has { id: string, isAuthenticated: true }`,
    );
  }
  return candidate as AuthenticatedUser;
}
