import type { IncomingMessage } from 'node:http';
import type { Authentication, SourceName } from '../authentication.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { RevocationFeed } from '../contracts/revocation-feed.js';
import type { Dependencies } from '../dependencies.js';
import type { TokenId } from '../token-id.js';
import type { AppUser, AuthenticatedUser } from '../users.js';
import type { None } from '../wrapping/wrapper.js';
import type { CredentialSource } from './credentials.js';
import type { Aborting, Recheck } from './recheck.js';
import type { Revalidate } from './revalidation.js';

declare const sourceAdds: unique symbol;
declare const sourceUser: unique symbol;

/** What one source found in a handshake. */
export interface Finding {
  readonly user: AuthenticatedUser | undefined;
  readonly authentication: Authentication;
  /** The id under which it is looked up again, where that is not the one of the token or of the handshake's HTTP session. */
  readonly credentialId?: string | undefined;
  /** The HTTP session with which it ends, where that is not the one of the handshake. */
  readonly httpSessionId?: string | undefined;
  /** When its credential was issued; `undefined` where that is not known. */
  readonly issuedAt?: Date | undefined;
  /** What the source wants to be given when it looks it up again. */
  readonly found?: unknown;
}

/** Finds the user of a key that is in no handshake. */
export interface KeySource {
  /** Whether `key` has the shape of its keys. */
  accepts(key: string): boolean;
  /** Looks for the user of a key of that shape. A rejection means "cannot tell". */
  find(key: string, lookUps: KeyLookUps): Promise<Finding>;
}

/** A source, its dependencies resolved, as one server uses it. */
export interface BoundSource {
  readonly source: SourceName;
  /** How it is made, for advice. */
  readonly madeBy: string;
  /** Whom and what it asks: two sources of a kind that ask the same are the same. */
  readonly asks: readonly unknown[];
  /** Where it looks for tokens of its repository; `undefined` where it has none. */
  readonly places?: readonly CredentialSource[];
  /** The reader of HTTP sessions that it uses. */
  readonly reader?: HttpSessionReader;
  /** Looks up again what it found; `undefined` where it cannot. */
  readonly recheck?: Recheck;
  /** Finds users of keys that are in no handshake; `undefined` where it has no keys. */
  readonly keys?: KeySource | undefined;
  /** From this moment on nothing counts that it finds. */
  readonly until?: Date | undefined;
  /** The same without that end, for what is not a channel. */
  readonly unending?: BoundSource;
  /** How often; `undefined` where the server says it. */
  readonly revalidate?: Revalidate | undefined;
  /** What tells of what this process itself ends through what it asks. */
  readonly feeds?: readonly RevocationFeed[];
  /** Looks for the user. A rejection means "cannot tell". */
  find(request: IncomingMessage, lookUps: HandshakeLookUps): Finding | Promise<Finding>;
}

/** The feeds of those that have one. */
export function feedsOf(...asked: readonly { readonly revocations?: RevocationFeed | undefined }[]): readonly RevocationFeed[] {
  return asked.flatMap(({ revocations }) => (isFeed(revocations) ? [revocations] : []));
}

/** A function that cannot be subscribed to is a method of that name, or the member of a mock that has every member. */
function isFeed(revocations: RevocationFeed | null | undefined): revocations is RevocationFeed {
  return typeof revocations === 'function' ? 'subscribe' in revocations : revocations != null;
}

/** What a channel is found by: the credential that identifies it, and whose that is. */
export interface IdentityKeys {
  readonly tokenId?: TokenId | undefined;
  readonly userId?: string | undefined;
  readonly httpSessionId?: string | undefined;
}

/** What a source needs to look up a key. */
export interface KeyLookUps {
  /** Its `signal` is aborted when nobody waits for the answer any more. It is made when it is asked for. */
  readonly aborting: Aborting;
  /** To be told of what is about to be looked up, before it is: whoever revokes it meanwhile must find the channel. */
  claim(keys: IdentityKeys): void;
  /** Whether tickets are left as they are: they open channels, and nothing else is done with them. */
  readonly leavesTickets?: true;
}

/** What a source needs of the handshake at hand. */
export interface HandshakeLookUps extends KeyLookUps {
  /** Reads the HTTP session through `reader`; asked again, it gives the same one. */
  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined>;
}

/**
 * One way to find a user, made by `fromToken`, `fromHttpSession`, `fromJwt` or `defineSource`; `Adds` is what a message gets besides
 * `channelSession` and `user`.
 */
export interface UserSource<User extends AuthenticatedUser = AppUser, Adds extends object = None> {
  readonly source: SourceName;
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
