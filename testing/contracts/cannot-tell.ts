import assert from 'node:assert/strict';

/** Fails unless all of `asked` are rejected; `giveUp` lets the time pass after which they are. */
export async function assertCannotTell(asked: readonly Promise<unknown>[], giveUp?: () => unknown): Promise<void> {
  const settled = Promise.allSettled(asked);
  await giveUp?.();
  for (const { status } of await settled) assert.equal(status, 'rejected', 'a store that does not answer must be a rejection');
}
