import type { AuthenticatedUser } from '../users.js';

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
