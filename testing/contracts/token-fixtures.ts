import assert from 'node:assert/strict';
import type { IssuedToken, TokenGrant, TokenIssuer, TokenRepository } from '../../src/contracts/token-repository.js';
import type { TokenId } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';
import { hourMs, uniqueKey } from './contract-samples.js';

/** A token that a suite wants to be there, as if it had been issued some time ago. */
export interface SampleToken {
  readonly key: string;
  /** `tokenIdOf(key)`. */
  readonly id: TokenId;
  readonly userId: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
  readonly scopes?: readonly string[];
}

/** What `tokenRepositoryContract` needs: the repository, and a way to put tokens and users where it finds them. */
export interface TokenRepositoryFixture {
  readonly tokens: TokenRepository<AuthenticatedUser>;
  /** Adds a new user and gives its id. */
  readonly addUser: () => string | Promise<string>;
  /** Deletes (or disables) a user that `addUser` added. */
  readonly removeUser: (id: string) => void | Promise<void>;
  /** Adds a token. One that has expired or was revoked need not be kept; it must not be added as a live one. */
  readonly addToken: (token: SampleToken) => unknown;
}

/** What `tokenIssuerContract` needs: also the issuer, whose tokens `tokens` finds. */
export interface TokenIssuerFixture extends TokenRepositoryFixture {
  readonly issuer: TokenIssuer;
}

/** Adds a token with these properties and gives it; its user is a new one unless `userId` is given. */
export async function addSampleToken(fixture: TokenRepositoryFixture, properties: Partial<SampleToken> = {}): Promise<SampleToken> {
  const userId = properties.userId ?? (await fixture.addUser());
  const token: SampleToken = { ...uniqueKey(), createdAt: new Date(), ...properties, userId };
  await fixture.addToken(token);
  return token;
}

/** Fails unless the grant is of this token and says who its user is. */
export function assertGrants(grant: TokenGrant<AuthenticatedUser> | undefined, token: SampleToken): void {
  assert.ok(grant, 'the token must be found');
  assert.equal(grant.id, token.id);
  assert.ok(grant.user, 'the user of the token must be found');
  assert.equal(grant.user.id, token.userId);
  assert.equal(grant.user.isAuthenticated, true);
}

/** Fails if the token would still be accepted. */
export function assertNotAccepted(grant: TokenGrant<AuthenticatedUser> | undefined): void {
  if (!grant) return;
  const isPast = (date: unknown): boolean => date instanceof Date && date.getTime() <= Date.now() + 1000;
  const over = (grant.revokedAt !== undefined && isPast(grant.revokedAt)) || (grant.expiresAt !== undefined && isPast(grant.expiresAt));
  assert.ok(over, 'the token must be absent, or carry the time at which it ended');
}

/** When the token expires, in milliseconds since the epoch. */
export async function endOf({ tokens }: TokenIssuerFixture, id: TokenId): Promise<number | undefined> {
  return (await tokens.findById(id))?.expiresAt?.getTime();
}

/** Fails unless `end` lies about `ms` milliseconds from now. */
export function assertAbout(end: number | undefined, ms: number): void {
  // the issuer's clock may be another machine's
  assert.ok(end !== undefined && Math.abs(end - Date.now() - ms) < hourMs / 2, `expected an end in about ${ms} ms`);
}

/** Fails unless the token counts. */
export async function assertAccepted({ tokens }: TokenIssuerFixture, id: TokenId): Promise<void> {
  const grant = await tokens.findById(id);
  assert.ok(grant?.user, 'the token must be found, and its user');
  assert.equal(grant.revokedAt, undefined);
  assert.ok(grant.expiresAt === undefined || grant.expiresAt.getTime() > Date.now() - hourMs / 2, 'it must not have expired');
}

/** The token, which must be there. */
export function given(token: IssuedToken | undefined): IssuedToken {
  assert.ok(token, 'a token must be given');
  return token;
}
