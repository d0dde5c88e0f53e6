import { decodeJwt, decodeProtectedHeader, errors, type JWTHeaderParameters, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { AuthenticationOutcome } from '../../src/authentication.js';
import type { Clock } from '../../src/contracts/clock.js';
import type { JwtClaims } from './jwt-options.js';
import type { FindKeys, VerificationKey } from './verification-keys.js';

/** What a token must be. */
export interface JwtDemands {
  readonly findKeys: FindKeys;
  readonly algorithms: readonly string[];
  readonly issuers: readonly string[];
  readonly verify: Omit<JWTVerifyOptions, 'currentDate'>;
}

/** What a token was found to be: its claims, or why they do not count. */
export type Verified = { readonly claims: JwtClaims } | { readonly outcome: Exclude<AuthenticationOutcome, 'ok'> };

const maxLength = 8_192;
const shape = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether `text` has the length and alphabet of a signed token. */
export function isJwt(text: string): boolean {
  return text.length <= maxLength && shape.test(text);
}

/** Verifies a token. A client's mistake is an outcome; a rejection means that its issuer's keys cannot be had. */
export async function verifyJwt(token: string, { findKeys, algorithms, issuers, verify }: JwtDemands, clock: Clock): Promise<Verified> {
  const header = headerOf(token);
  if (header === undefined || !algorithms.includes(header.alg)) return { outcome: 'malformed' };
  // before the keys are asked for: another source may have those of its issuer, while these cannot be had
  const issuer = issuerOf(token);
  if (issuer !== undefined && !issuers.includes(issuer)) return { outcome: 'unknown' };
  const options = { ...verify, currentDate: new Date(clock.now()) };
  for (const key of await findKeys(header, clock)) {
    const verified = await verifyBy(key, token, options);
    if (verified !== undefined) return verified;
  }
  return { outcome: 'unknown' };
}

function headerOf(token: string): JWTHeaderParameters | undefined {
  try {
    const { alg, kid, ...others } = decodeProtectedHeader(token);
    return typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')
      ? undefined
      : { ...others, alg, ...(kid !== undefined && { kid }) };
  } catch {
    return undefined;
  }
}

/** Who issued the token, as it says itself; `undefined` where it says nothing clear. */
function issuerOf(token: string): string | undefined {
  try {
    const { iss }: { readonly iss?: unknown } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` where the token is not signed by `key`. */
async function verifyBy(key: VerificationKey, token: string, options: JWTVerifyOptions): Promise<Verified | undefined> {
  try {
    const { payload } = await jwtVerify<JwtClaims>(token, key, options);
    return areTyped(payload) ? { claims: payload } : { outcome: 'malformed' };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JWTExpired) return { outcome: 'expired' };
    // what is there and wrong is of another issuer or audience, or of another time; what is missing or no such claim, no token of ours
    if (error instanceof errors.JWTClaimValidationFailed) return { outcome: error.reason === 'check_failed' ? 'unknown' : 'malformed' };
    if (error instanceof errors.JOSEError) return { outcome: 'malformed' };
    throw error;
  }
}

/** Whether the claims that are looked at here, and by nothing before, are what they must be. */
function areTyped({ sub, jti }: Partial<Record<keyof JwtClaims, unknown>>): boolean {
  return [sub, jti].every((claim) => claim === undefined || (typeof claim === 'string' && claim !== ''));
}
