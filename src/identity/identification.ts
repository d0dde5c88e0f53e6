import type { IncomingMessage } from 'node:http';
import { type Authentication, nothingPresented } from '../authentication.js';
import type { HttpSession } from '../contracts/http-session-reader.js';
import type { ChannelError } from '../errors.js';
import type { TokenId } from '../token-id.js';
import { type AnonymousUser, type AppUser, type AuthenticatedUser, anonymousUser } from '../users.js';
import { lookUpFailed } from './bounded-look-up.js';
import { KeptHttpSession } from './kept-http-session.js';
import type { BoundSource, Finding, HandshakeLookUps, IdentityKeys } from './user-source.js';

const nothing: Finding = Object.freeze({ user: undefined, authentication: nothingPresented });

/** Whether `finding` has more to say than who and how. */
function saysMore({ credentialId, found, issuedAt, httpSessionId }: Finding): boolean {
  return credentialId !== undefined || found !== undefined || issuedAt !== undefined || httpSessionId !== undefined;
}

/** How much a finding says: a session in which nobody has logged in less than a token that counts no more. */
function weightOf({ authentication: { outcome, source } }: Finding): number {
  if (outcome !== 'missing') return 2;
  return source === undefined ? 0 : 1;
}

/** Who waits for an identification, in the same promise. */
export interface IdentificationWaiter {
  /** The answer is there. */
  lookedUp(): Promise<void> | undefined;
  /** Throws `error`, with which it has failed. */
  lookUpFailed(error: unknown): never;
}

/** Waits for no more than the promise. */
const nobody: IdentificationWaiter = {
  lookedUp: () => undefined,
  lookUpFailed: (error) => {
    throw error;
  },
};

/** `pending`, and with it what `waiter` does then. */
export function toldOf(pending: Promise<void>, waiter: IdentificationWaiter): Promise<void> {
  return pending.then(
    () => waiter.lookedUp(),
    (error: unknown) => waiter.lookUpFailed(error),
  );
}

/** What `source` finds. */
function asked(source: BoundSource, request: IncomingMessage, lookUps: HandshakeLookUps): Promise<Finding> {
  try {
    return Promise.resolve(source.find(request, lookUps));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/** That `source` could not tell. */
function failureOf({ source }: BoundSource, error: unknown): ChannelError {
  return lookUpFailed(error, `Looking up the user of a channel by the source ${source}`);
}

/** Who speaks: found once, of the handshake, and known from then on. */
export class Identification {
  #user: AuthenticatedUser | undefined;
  #authentication: Authentication | undefined;
  /** The finding that says more than these two: few do, and no other is kept. */
  #more: Finding | undefined;
  #sources: readonly BoundSource[] | undefined;
  /** The HTTP session of the handshake, where anybody asked for it: the id under which it is found again, or itself if it has none. */
  #httpSession: { readonly id: string | undefined; readonly kept: KeptHttpSession | undefined } | undefined;
  #source: BoundSource | undefined;
  // a number that is there takes an object of its own: most credentials never end, and few are asked again
  #endsAt: number | undefined;
  #verifiedAt: number | undefined;
  /** The date of that, as a number: whoever gave the date out may set it to another time. */
  endDate: number | undefined = undefined;
  #keys: IdentityKeys | undefined;
  #claims: IdentityKeys[] | undefined;
  #identifiedAt = 0;
  /** The number of the latest question, whether its credential still counts, whose answer is known. */
  answered = 0;

  /**
   * Asks `sources` in turn: the first that yields a user decides. One that fails ends the search. If none yields a user, the
   * outcome is that of the first that presented something.
   *
   * @throws {ChannelError} (as a rejection) `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT`.
   */
  find(
    request: IncomingMessage,
    sources: readonly BoundSource[],
    lookUps: HandshakeLookUps,
    waiter: IdentificationWaiter = nobody,
  ): Promise<void> {
    this.#sources = sources;
    const only = sources.length === 1 ? sources[0] : undefined;
    if (only === undefined) return toldOf(this.#search(request, sources, lookUps), waiter);
    // where there is one source, nothing is to be compared, nor a search to be waited for
    return asked(only, request, lookUps).then(
      (found) => {
        this.#take(weightOf(found) === 0 ? nothing : found, only);
        return waiter.lookedUp();
      },
      (error: unknown) => waiter.lookUpFailed(failureOf(only, error)),
    );
  }

  async #search(request: IncomingMessage, sources: readonly BoundSource[], lookUps: HandshakeLookUps): Promise<void> {
    let best = nothing;
    for (const source of sources) {
      let finding: Finding;
      try {
        finding = await source.find(request, lookUps);
      } catch (error) {
        throw failureOf(source, error);
      }
      if (finding.user !== undefined) {
        this.#take(finding, source);
        return;
      }
      if (weightOf(finding) > weightOf(best)) best = finding;
    }
    this.#take(best);
  }

  /** @param source counts as the one that found the user, if there is one. */
  #take(finding: Finding, source?: BoundSource): void {
    this.#user = finding.user;
    this.#authentication = finding.authentication;
    this.#more = saysMore(finding) ? finding : undefined;
    if (finding.user !== undefined) this.#source = source;
  }

  /** What a channel is found by. */
  get keys(): IdentityKeys | undefined {
    return this.#keys;
  }

  /** What it is found by as well, while it is being looked up who speaks. */
  get claims(): readonly IdentityKeys[] | undefined {
    return this.#claims;
  }

  /** It is looked up whether somebody with `keys` speaks. */
  claimedBy(keys: IdentityKeys): void {
    if (this.#claims === undefined) this.#claims = [keys];
    else this.#claims.push(keys);
  }

  /** It is known who speaks: `keys` are all that the channel is found by. */
  namedBy(keys: IdentityKeys | undefined): void {
    this.#keys = keys;
    this.#claims = undefined;
  }

  /** When the user was identified, on the monotonic clock, to the millisecond: a number that is not whole would be an object of its own. */
  get identifiedAt(): number {
    return this.#identifiedAt;
  }

  set identifiedAt(at: number) {
    this.#identifiedAt = Math.floor(at);
  }

  /** When the credential ends, on the monotonic clock; infinity where never. */
  get endsAt(): number {
    return this.#endsAt ?? Number.POSITIVE_INFINITY;
  }

  set endsAt(at: number) {
    this.#endsAt = at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  /** When it was last asked whether the credential counts, and it did; on the monotonic clock. */
  get verifiedAt(): number {
    return this.#verifiedAt ?? this.identifiedAt;
  }

  set verifiedAt(at: number) {
    this.#verifiedAt = at;
  }

  /** Those that were asked; `undefined` where nobody looked. */
  get sources(): readonly BoundSource[] | undefined {
    return this.#sources;
  }

  get user(): AppUser | AnonymousUser {
    return (this.#user ?? anonymousUser) as AppUser | AnonymousUser;
  }

  /** The user, if one was found, whatever a handler has made of the object since. */
  get knownUser(): AuthenticatedUser | undefined {
    return this.#user;
  }

  /** `undefined` where nobody looked. */
  get authentication(): Authentication | undefined {
    return this.#authentication;
  }

  /** The id of the token through which the user was found. */
  get tokenId(): TokenId | undefined {
    return this.#user === undefined ? undefined : this.#authentication?.tokenId;
  }

  /** The source that found the user. */
  get source(): BoundSource | undefined {
    return this.#source;
  }

  /** Whether its source ends some day, or has ended: what it finds comes with a warning. */
  get isOfEndingSource(): boolean {
    return this.#source?.until !== undefined || this.#authentication?.hasSourceEnded === true;
  }

  /** The id under which {@link source} looks up again what it found. */
  get credentialId(): string | undefined {
    return this.tokenId ?? this.#more?.credentialId ?? this.httpSessionId;
  }

  /** What {@link source} wants to be given for that. */
  get found(): unknown {
    return this.#more?.found;
  }

  /** When the credential was issued; `undefined` where that is not known. */
  get issuedAt(): Date | undefined {
    return this.#more?.issuedAt;
  }

  /** Whether a token identified the user, or what a source of the application's own takes for one; not a session, nor a ticket of one. */
  get isOfToken(): boolean {
    if (this.tokenId !== undefined) return true;
    const { source } = this.#source ?? {};
    return source !== undefined && source !== 'token' && source !== 'http-session';
  }

  /** What identified the user was looked up again: this is how it stands now. */
  renew(user: AuthenticatedUser, authentication: Authentication): void {
    this.#user = user;
    this.#authentication = authentication;
  }

  /** Something else identifies the user now. */
  exchange(finding: Finding, source: BoundSource): void {
    this.#take(finding, source);
  }

  /** The id of the HTTP session through which the user was found, or a ticket was given, or with which nobody has logged in. */
  get httpSessionId(): string | undefined {
    if (this.#more?.httpSessionId !== undefined) return this.#more.httpSessionId;
    return this.#authentication?.source === 'http-session' ? this.handshakeHttpSessionId : undefined;
  }

  /** Whether the user was found through the HTTP session. */
  get isOfHttpSession(): boolean {
    return this.#user !== undefined && this.#authentication?.source === 'http-session';
  }

  /** Notes the id under which the HTTP session of the handshake is found again; one that has none is kept itself. */
  rememberHttpSession(session: HttpSession | undefined): void {
    const hasNoId = session !== undefined && session.id === undefined;
    this.#httpSession = { id: session?.id, kept: hasNoId ? new KeptHttpSession(session) : undefined };
  }

  /** The HTTP session of the handshake as it was then, where it has no id; for one message. */
  keptHttpSession(): HttpSession | undefined {
    return this.#httpSession?.kept?.view();
  }

  /** Whether anybody asked for the HTTP session of the handshake. */
  get hasReadHttpSession(): boolean {
    return this.#httpSession !== undefined;
  }

  /** The id of the HTTP session of the handshake, whatever identified the channel. */
  get handshakeHttpSessionId(): string | undefined {
    return this.#httpSession?.id;
  }
}
