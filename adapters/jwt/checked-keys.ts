import { createPublicKey, KeyObject } from 'node:crypto';
import { types } from 'node:util';
import type { JWK } from 'jose';
import { kindOf } from '../../src/kind-of.js';
import type { UserLike } from '../../src/users.js';
import type { JwtAlgorithm, JwtOptions } from './jwt-options.js';
import { type FindKeys, keysOfSet, keysOfUrl, oneKey } from './verification-keys.js';

const owner = 'fromJwt';

/** A type of keys, with how many bytes a secret has at least, or with the curve of an elliptic one. */
type KeyType = readonly ['secret', leastBytes: number] | readonly ['ec', curve: string] | readonly ['rsa' | 'ed25519'];

/** The keys that each algorithm needs. */
export const keyTypes: Readonly<Record<JwtAlgorithm, KeyType>> = {
  HS256: ['secret', 32],
  HS384: ['secret', 48],
  HS512: ['secret', 64],
  RS256: ['rsa'],
  RS384: ['rsa'],
  RS512: ['rsa'],
  PS256: ['rsa'],
  PS384: ['rsa'],
  PS512: ['rsa'],
  ES256: ['ec', 'prime256v1'],
  ES384: ['ec', 'secp384r1'],
  ES512: ['ec', 'secp521r1'],
  EdDSA: ['ed25519'],
  Ed25519: ['ed25519'],
};

const keyOptions = ['secret', 'key', 'jwks', 'jwksUrl'] as const;

/**
 * What finds the keys of tokens.
 *
 * @throws {TypeError} unless exactly one of the options says where, and the algorithms are of its kind: a public key that were taken for a
 * secret would let anybody sign.
 */
export function checkedKeys(options: JwtOptions<UserLike>): FindKeys {
  const names = keyOptions.filter((name) => options[name] !== undefined);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new TypeError(
      `${owner}: give it exactly one of ${keyOptions.join(', ')}, got ${names.length === 0 ? 'none' : names.join(' and ')}`,
    );
  }
  const isOfSecret = name === 'secret';
  const strange = options.algorithms.find((algorithm) => (keyTypes[algorithm][0] === 'secret') !== isOfSecret);
  if (strange !== undefined) {
    throw new TypeError(`${owner}: algorithms must be ${isOfSecret ? 'HMAC (HS…)' : 'of public keys'} with ${name}, got ${strange}`);
  }
  const { secret, key, jwks, jwksUrl } = options;
  if (secret !== undefined) return oneKey(checkedSecret(secret, options.algorithms));
  if (key !== undefined) return oneKey(checkedKey(key, options.algorithms));
  if (jwks !== undefined) return keysOfSet(jwks);
  const { jwksMaxAgeMs: maxAgeMs = 600_000, jwksCooldownMs: cooldownMs = 30_000, jwksTimeoutMs: timeoutMs = 3_000 } = options;
  return keysOfUrl({ url: String(jwksUrl), maxAgeMs, cooldownMs, timeoutMs });
}

function checkedSecret(secret: NonNullable<JwtOptions['secret']>, algorithms: readonly JwtAlgorithm[]): Uint8Array {
  const given = secret instanceof KeyObject ? secret.export() : secret;
  const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : Uint8Array.from(given);
  if (Buffer.from(bytes).includes('-----BEGIN')) {
    throw new TypeError(`${owner}: secret must be a secret, got PEM: give a public key as key`);
  }
  for (const algorithm of algorithms) {
    const [type, least] = keyTypes[algorithm];
    if (type === 'secret' && bytes.length < least) {
      throw new TypeError(`${owner}: secret must be at least ${least} bytes for ${algorithm}, got ${bytes.length}`);
    }
  }
  return bytes;
}

function checkedKey(given: NonNullable<JwtOptions['key']>, algorithms: readonly JwtAlgorithm[]): KeyObject {
  const key = publicKeyOf(given);
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  for (const algorithm of algorithms) {
    const [type, curve] = keyTypes[algorithm];
    if (type === asymmetricKeyType && (curve === undefined || curve === asymmetricKeyDetails?.namedCurve)) continue;
    throw new TypeError(`${owner}: algorithms must be those of key, which is of the type ${asymmetricKeyType}, got ${algorithm}`);
  }
  const { modulusLength } = asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < 2_048) {
    throw new TypeError(`${owner}: key must have at least 2,048 bits, got ${modulusLength}`);
  }
  return key;
}

function publicKeyOf(given: NonNullable<JwtOptions['key']>): KeyObject {
  try {
    if (given instanceof KeyObject) return given.type === 'public' ? given : createPublicKey(given);
    if (types.isCryptoKey(given)) return publicKeyOf(KeyObject.from(given));
    if (types.isUint8Array(given)) return createPublicKey(Buffer.from(given)); // as a file is read
    return createPublicKey(typeof given === 'string' ? given : { key: given as JWK, format: 'jwk' });
  } catch (cause) {
    throw new TypeError(`${owner}: key must be a public key: PEM, a JWK or a key object, got ${kindOf(given)} that is none`, { cause });
  }
}
