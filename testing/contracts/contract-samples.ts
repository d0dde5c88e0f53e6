import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TokenId, tokenIdOf } from '../../src/token-id.js';

/** An id that no other test uses, of the shape of the core's own: 64 hexadecimal digits. */
export function uniqueId(): string {
  return randomBytes(32).toString('hex');
}

/** A key that no other test uses, and its id. */
export function uniqueKey(): { readonly key: string; readonly id: TokenId } {
  const key = randomBytes(20).toString('hex');
  return { key, id: tokenIdOf(key) };
}

/** Names that every object has: looked up carelessly, something is found under them. */
export const inheritedNames: readonly string[] = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

/** A moment, `ms` milliseconds from now. An hour is more than clocks of two machines differ. */
export function fromNow(ms: number): Date {
  return new Date(Date.now() + ms);
}

export const hourMs = 60 * 60 * 1000;

/** Fails if something has found its way into all objects. */
export function assertNothingPolluted(): void {
  const admin: unknown = ({} as { admin?: unknown }).admin;
  assert.equal(admin, undefined, 'Object.prototype was changed');
}

/** Fails unless `value` is a `Date` at the time of `expected`. */
export function assertSameTime(value: unknown, expected: Date, name: string): void {
  assert.ok(value instanceof Date, `${name} must be a Date, got ${typeof value}`);
  assert.equal(value.getTime(), expected.getTime(), `${name} is another time`);
}

/** Fails unless both are the same as JSON; what prototype an object has does not matter. */
export function assertSameJson(actual: unknown, expected: unknown): void {
  assert.deepEqual(JSON.parse(JSON.stringify(actual)), JSON.parse(JSON.stringify(expected)));
}

/** Runs `attempt`, which may throw: what it tries to change may be frozen. */
export function tryToChange(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof TypeError, 'only a frozen object may refuse');
  }
}

/** The values of those that were fulfilled, and the `code`s of the errors of the others (or what those say). */
export async function outcomesOf<Value>(promises: readonly Promise<Value>[]): Promise<{ values: Value[]; codes: string[] }> {
  const values: Value[] = [];
  const codes: string[] = [];
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'fulfilled') values.push(result.value);
    else codes.push(codeOf(result.reason));
  }
  return { values, codes };
}

/** Fails unless `promise` is rejected with an error of this `code`. */
export async function assertRejects(promise: Promise<unknown>, code: string): Promise<void> {
  const { codes } = await outcomesOf([promise]);
  assert.deepEqual(codes, [code], `expected a rejection with ${code}`);
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : String(error);
}
