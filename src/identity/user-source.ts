import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../authentication.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Dependencies } from '../dependencies.js';
import type { AppUser, AuthenticatedUser } from '../users.js';
import type { None } from '../wrapping/wrapper.js';
import type { CredentialSource } from './credentials.js';

declare const sourceAdds: unique symbol;
declare const sourceUser: unique symbol;

/** What one source found in a handshake. */
export interface Finding {
  readonly user: AuthenticatedUser | undefined;
  readonly authentication: Authentication;
  /** The reader whose HTTP sessions it was found through. */
  readonly reader?: HttpSessionReader;
}

/** A source, its dependencies resolved, as one server uses it. */
export interface BoundSource {
  readonly source: UserSource['source'];
  /** Whom and what it asks: two sources of a kind that ask the same are the same. */
  readonly asks: readonly unknown[];
  /** The reader of HTTP sessions that it uses. */
  readonly reader?: HttpSessionReader;
  /**
   * Looks for the user. A rejection means "cannot tell".
   *
   * @param httpSession reads the HTTP session once per handshake, whoever asks.
   */
  find(request: IncomingMessage, httpSession: HttpSessionLookup): Promise<Finding>;
}

/** Reads the HTTP session of one handshake through `reader`; asked again, it gives the same one. */
export type HttpSessionLookup = (reader: HttpSessionReader) => Promise<HttpSession | undefined>;

/** One way to find a user, made by `fromToken` or `fromHttpSession`; `Adds` is what a message gets besides `channelSession` and `user`. */
export interface UserSource<User extends AuthenticatedUser = AppUser, Adds extends object = None> {
  readonly source: 'token' | 'http-session';
  /** Where it looks for tokens: what is secret in a handshake. */
  readonly credentials: readonly CredentialSource[];
  /** Resolves what it depends on. For the runtime. */
  bind(dependencies: Dependencies): BoundSource;
  readonly [sourceUser]?: User | undefined;
  readonly [sourceAdds]?: Adds | undefined;
}

/** A source of whatever users. */
export type AnySource = UserSource<AuthenticatedUser, object>;

/** What all of `Sources` add to a message. */
export type SourceAdds<Sources extends readonly unknown[], Acc extends object = None> = Sources extends readonly [
  UserSource<infer _User, infer Adds>,
  ...infer Rest,
]
  ? SourceAdds<Rest, Acc & Adds>
  : Acc;

/** The users that `Sources` find. */
export type SourceUser<Sources extends readonly unknown[]> = Sources[number] extends UserSource<infer User, object> ? User : never;
