import type { KeyObject } from 'node:crypto';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import type { Clock } from '../../src/contracts/clock.js';
import { foundOrMade } from '../../src/found-or-made.js';
import { type KeySet, RemoteKeySet, type RemoteKeySetSettings } from './remote-key-set.js';

/** A key that a signature is verified with. */
export type VerificationKey = Awaited<ReturnType<KeySet>> | KeyObject | Uint8Array;

/** The keys by which a token with this header may be signed; none where its issuer has no such key. A rejection means "cannot tell". */
export type FindKeys = (header: JWTHeaderParameters, clock: Clock) => Promise<readonly VerificationKey[]>;

/** How many keys of one name are tried. */
const maxAlike = 8;

/** Every token by the one key. */
export function oneKey(key: KeyObject | Uint8Array): FindKeys {
  const keys = Object.freeze([key]);
  return async () => keys;
}

/** @throws {TypeError} when it is no key set, or one of private keys, which have no place where tokens are verified. */
export function keysOfSet(jwks: JSONWebKeySet): FindKeys {
  let keys: KeySet;
  try {
    keys = createLocalJWKSet(jwks);
  } catch (cause) {
    throw new TypeError('fromJwt: jwks must be a JSON Web Key Set, { keys: […] }, got something else', { cause });
  }
  if (jwks.keys.some((key) => Object.hasOwn(key, 'd'))) throw new TypeError('fromJwt: jwks must hold public keys, got a private one');
  return async (header) => (await keysIn(keys, header)) ?? [];
}

/** The keys that are published; one reading of them serves all servers that go by the same clock. */
export function keysOfUrl(settings: RemoteKeySetSettings): FindKeys {
  const sets = new WeakMap<Clock, RemoteKeySet>();
  return async (header, clock) => {
    const set = foundOrMade(sets, clock, () => new RemoteKeySet(settings, clock));
    const known = await keysIn(await set.current(), header);
    if (known !== undefined) return known;
    const later = await set.later();
    return (later && (await keysIn(later, header))) ?? [];
  };
}

/** Those of `set` that fit; `undefined` where none does. */
async function keysIn(set: KeySet, header: JWTHeaderParameters): Promise<readonly VerificationKey[] | undefined> {
  try {
    return [await set(header)];
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    const alike: VerificationKey[] = [];
    for await (const key of error) if (alike.push(key) >= maxAlike) break;
    return alike;
  }
}
