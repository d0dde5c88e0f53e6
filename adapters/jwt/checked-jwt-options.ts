import { KeyObject } from 'node:crypto';
import { types } from 'node:util';
import {
  aFlag,
  aFunction,
  aName,
  anInteger,
  anObject,
  anything,
  checkedOptions,
  checkOption,
  isListOf,
  milliseconds,
  type Rule,
  type Rules,
} from '../../src/checked-options.js';
import { aSourceName } from '../../src/identity/define-source.js';
import { aMoment } from '../../src/identity/ending-source.js';
import { aRevalidation } from '../../src/identity/revalidation.js';
import { maxTimerMs } from '../../src/time/system-clock.js';
import type { UserLike } from '../../src/users.js';
import { keyTypes } from './checked-keys.js';
import type { JwtOptions } from './jwt-options.js';

const owner = 'fromJwt';

const aNameOrNames: Rule = {
  must: 'a non-empty string or a non-empty list of them',
  accepts: (value) => aName.accepts(value) || (isListOf(value, aName.accepts) && value.length > 0),
};
const someAlgorithms: Rule = {
  must: `a non-empty list of ${Object.keys(keyTypes).join(', ')}`,
  accepts: (value) => isListOf(value, (one) => typeof one === 'string' && Object.hasOwn(keyTypes, one)) && value.length > 0,
};

const rules: Rules<JwtOptions<UserLike>> = {
  algorithms: someAlgorithms,
  issuer: aNameOrNames,
  audience: aNameOrNames,
  secret: { must: 'a non-empty string, bytes or a secret key object', accepts: isSecret },
  key: { must: 'a public key: PEM, a JWK or a key object', accepts: (value) => aName.accepts(value) || anObject.accepts(value) },
  jwks: anObject,
  jwksUrl: { must: 'a URL of http or https', accepts: isHttpUrl },
  jwksMaxAgeMs: milliseconds(1_000, maxTimerMs),
  jwksCooldownMs: milliseconds(1_000, maxTimerMs),
  jwksTimeoutMs: anInteger(1, maxTimerMs),
  from: anything, // checkedCredentialSources looks at it
  user: aFunction,
  isRevoked: aFunction,
  clockToleranceMs: milliseconds(0, 3_600_000),
  requireExpiry: aFlag,
  typ: aName,
  // its own default is one of the names that other sources may not take
  name: { must: aSourceName.must, accepts: (value) => value === 'jwt' || aSourceName.accepts(value) },
  revalidate: aRevalidation,
  until: aMoment,
};

function isSecret(value: unknown): boolean {
  return aName.accepts(value) || types.isUint8Array(value) || (value instanceof KeyObject && value.type === 'secret');
}

function isHttpUrl(value: unknown): boolean {
  return (typeof value === 'string' || value instanceof URL) && URL.canParse(String(value)) && /^https?:$/.test(new URL(value).protocol);
}

/**
 * A checked, frozen copy of options.
 *
 * @throws {TypeError} naming the option, what it must be and what it is.
 */
export function checkedJwtOptions<User extends UserLike>(given: JwtOptions<User>): Readonly<JwtOptions<User>> {
  checkOption(owner, 'options', given, anObject);
  const options = checkedOptions(owner, given, rules, 'algorithms', 'issuer', 'audience');
  return Object.freeze({ ...options, algorithms: Object.freeze([...options.algorithms]) });
}
