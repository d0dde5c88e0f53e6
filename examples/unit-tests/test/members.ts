import { type TokenGrant, tokenIdOf } from 'ws-with';
import type { Member } from '../src/member.js';

/** A member of the tests. */
export const ada: Member = { id: 'ada', isAuthenticated: true, name: 'Ada' };

/** The key that Ada's client holds: any of the allowed shape will do. */
export const keyOfAda = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';

/** What a token repository says of that key: `{ id, user }` is a complete grant. */
export const grantOfAda: TokenGrant<Member> = { id: tokenIdOf(keyOfAda), user: ada };
