import { isDeepStrictEqual } from 'node:util';
import { anObject, checkOption, type Rules } from '../../src/checked-options.js';
import { aFlagOrOptions } from './options.js';
import type { MongoUserOptions } from './user-documents.js';

/** Which collections there are; what `registerMongo` is given can be given here too. */
export interface MongoCollections {
  /** @default { collection: 'tokens' } */
  readonly tokens?: { readonly collection?: string | undefined } | undefined;
  /** @default { collection: 'users', key: '_id' } */
  readonly users?: Pick<MongoUserOptions, 'collection' | 'key' | 'profile'> | undefined;
  /** @default { collection: 'channelSessions' } */
  readonly sessions?: { readonly collection?: string | undefined } | undefined;
  /** @default { collection: 'tickets' } */
  readonly tickets?: { readonly collection?: string | undefined } | undefined;
  /** @default { collection: 'broadcasts' } */
  readonly broadcasts?: { readonly collection?: string | undefined } | undefined;
  /** @default { collection: 'revocations' } */
  readonly feed?: { readonly collection?: string | undefined } | boolean | undefined;
}

/** What is said of each collection must be an object; whoever uses that looks more closely. */
export const collectionRules: Rules<MongoCollections> = {
  tokens: anObject,
  users: anObject,
  sessions: anObject,
  tickets: anObject,
  broadcasts: anObject,
  feed: aFlagOrOptions,
};

/**
 * Where users are is said once, for tokens and for look-ups by id alike: what the options of the tokens say would be overruled without a
 * word.
 *
 * @throws {TypeError} when they say something else.
 */
export function checkUsersBeside(owner: string, tokens: object | undefined, users: object | undefined): void {
  const ofTokens: unknown = tokens && Reflect.get(tokens, 'users');
  checkOption(owner, 'tokens', tokens, {
    must: 'an object without users, which are given beside it',
    accepts: () => ofTokens === undefined || isDeepStrictEqual(ofTokens, users),
  });
}
