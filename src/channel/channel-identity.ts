import type { Authentication } from '../authentication.js';
import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Finding } from '../identity/user-source.js';
import type { TokenId } from '../token-id.js';
import { type AnonymousUser, type AppUser, anonymousUser } from '../users.js';

/** What a channel knows of who speaks on it: found once, at connect. */
export class ChannelIdentity {
  #finding: Finding | undefined;
  #httpSessionIds: Map<HttpSessionReader, string | undefined> | undefined;

  get user(): AppUser | AnonymousUser {
    return (this.#finding?.user ?? anonymousUser) as AppUser | AnonymousUser;
  }

  /** `undefined` where no wrapper of the server identifies. */
  get authentication(): Authentication | undefined {
    return this.#finding?.authentication;
  }

  /** The id of the token that identified the channel. */
  get tokenId(): TokenId | undefined {
    return this.#finding?.user === undefined ? undefined : this.#finding.authentication.tokenId;
  }

  /** The id of the HTTP session that identified the channel. */
  get httpSessionId(): string | undefined {
    return this.reader && this.#httpSessionIds?.get(this.reader);
  }

  /** The reader whose HTTP session identified the channel, or was presented where nobody has logged in with it. */
  get reader(): HttpSessionReader | undefined {
    return this.#finding?.reader;
  }

  /** Whether the user was found through the HTTP sessions of `reader`. */
  isFoundThrough(reader: HttpSessionReader): boolean {
    return this.#finding?.user !== undefined && this.reader === reader;
  }

  /** Notes what was found. */
  found(finding: Finding): void {
    this.#finding = finding;
  }

  /** Notes the id under which `reader` finds the HTTP session of the handshake again. */
  rememberHttpSession(reader: HttpSessionReader, id: string | undefined): void {
    this.#httpSessionIds ??= new Map();
    this.#httpSessionIds.set(reader, id);
  }

  /** Whether `reader` was asked at connect. */
  wasAsked(reader: HttpSessionReader): boolean {
    return this.#httpSessionIds?.has(reader) === true;
  }

  /** The id of the HTTP session that `reader` found at connect. */
  httpSessionIdOf(reader: HttpSessionReader): string | undefined {
    return this.#httpSessionIds?.get(reader);
  }
}
