import { createHash } from 'node:crypto';
import type { AuthenticatedUser } from 'ws-with';

/** A user of the servers that are compared. */
export interface BenchUser extends AuthenticatedUser {
  readonly name: string;
}

/** How many tokens, each of a user of its own, every server knows. */
export const accountCount = 10_200;

/** The key of the token of account `index`: 40 hexadecimal digits, the same in every process. */
export function keyOf(index: number): string {
  return createHash('sha256').update(`account ${index}`).digest('hex').slice(0, 40);
}

/** A key that no server knows. */
export const unknownKey: string = 'f'.repeat(40);

/** The name of the user of account `index`, which shows that a server found the right one. */
export function nameOf(index: number): string {
  return `user number ${index}`;
}

/** The user of account `index`. */
export function userOf(index: number): BenchUser {
  return { id: String(index), isAuthenticated: true, name: nameOf(index) };
}
