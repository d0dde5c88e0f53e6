import { accountCount, type BenchUser, keyOf, userOf } from '../accounts.js';

/** The users of all accounts by their key. */
export const userByKey: ReadonlyMap<string, BenchUser> = new Map(
  Array.from({ length: accountCount }, (_, index) => [keyOf(index), userOf(index)]),
);
