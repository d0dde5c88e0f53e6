/**
 * A user of the application, as a `TokenRepository` or `UserRepository` gives it. Applications extend it with members of their
 * own and name the result once in {@link Register}.
 */
export interface AuthenticatedUser {
  /** The application's id of the user. Never empty. */
  readonly id: string;
  /** Always `true`: it distinguishes this user from the {@link AnonymousUser}, and narrows the union of both. */
  readonly isAuthenticated: true;
}

/**
 * What a repository may return as a user. The compiler often widens the `true` of an object literal to `boolean`. So the value is checked
 * when the user is found.
 */
export interface UserLike {
  readonly id: string;
  readonly isAuthenticated: boolean;
}

/** What handlers get of a {@link UserLike} that a repository returned. */
export type FoundUser<User extends UserLike> = User extends AuthenticatedUser ? User : User & AuthenticatedUser;

/** Whoever speaks without an accepted credential. There is one instance, {@link anonymousUser}. */
export interface AnonymousUser {
  readonly id: null;
  readonly isAuthenticated: false;
}

/** The one anonymous user; frozen, so it can be compared with `===`. */
export const anonymousUser: AnonymousUser = Object.freeze({ id: null, isAuthenticated: false } as const);

/**
 * Where an application names its own types, once, by interface merging:
 *
 * ```ts
 * declare module 'ws-with' {
 *   interface Register { user: Member; session: { rooms: string[] } }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: users merge their members into it.
export interface Register {}

/** What the compiler names where `Register.user` is no {@link AuthenticatedUser}. */
export interface RegisterError<Text extends string> extends AuthenticatedUser {
  readonly registerError: Text;
}

/** The application's user: `Register.user`, or a plain {@link AuthenticatedUser} if nothing is registered. */
export type AppUser = Register extends { user: infer User }
  ? User extends AuthenticatedUser
    ? User
    : RegisterError<'Register.user must extend AuthenticatedUser'>
  : AuthenticatedUser;

/** Added by every wrapper that finds a user: `withUserFromToken`, `withUserFromHttp`, `withUserFrom`, `withChannelUser`, `withHttpUser`. */
export interface HasUser<User extends AuthenticatedUser = AppUser> {
  /** Who speaks. `user.isAuthenticated` tells the application's user from the anonymous one. */
  readonly user: User | AnonymousUser;
}

/** Added by `withAuthenticatedUser`, which lets no anonymous user through. */
export interface HasAuthenticatedUser<User extends AuthenticatedUser = AppUser> {
  /** The application's user. */
  readonly user: User;
}
