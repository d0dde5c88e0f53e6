import assert from 'node:assert/strict';

/**
 * What is no id, `id` being one that is there. Objects mean it and nothing else, should an adapter hand them to its database: what others
 * have there stays unharmed.
 */
export function badIds(id: string): readonly unknown[] {
  const equal = { $eq: id };
  const list = [id];
  const text = { toString: () => id, toJSON: () => id, [Symbol.toPrimitive]: () => id };
  return [equal, { $in: [id] }, list, new String(id), Buffer.from(id), text, null, undefined, '', 7, Number.NaN, 1n, true, Symbol('id')];
}

/** What is no id of a token: also strings of another shape than that of `id`. */
export function badTokenIds(id: string): readonly unknown[] {
  return [
    ...badIds(id),
    id.slice(1),
    `${id}0`,
    id.toUpperCase().replace(/^./, 'F'),
    ` ${id.slice(1)}`,
    `${id.slice(1)}\n`,
    `g${id.slice(1)}`,
  ];
}

/** What is no list of ids: no list, and lists in which one among good ones is bad. */
export function badLists(id: string, bad: readonly unknown[]): readonly unknown[] {
  const withHole: unknown[] = [id];
  withHole.length = 2;
  return [null, undefined, id, { 0: id, length: 1 }, new Set([id]), { $in: [id] }, withHole, ...bad.map((each) => [id, each])];
}

/** Fails unless `call` gives a promise that is rejected with a `TypeError`, for each of these arguments. */
export async function assertRefuses(call: (argument: never) => unknown, badArguments: readonly unknown[]): Promise<void> {
  for (const argument of badArguments) {
    // an adapter that throws at once fails here: callers wait for a promise
    const result = call(argument as never);
    assert.ok(result instanceof Promise, 'a promise must be given');
    await assert.rejects(result, TypeError);
  }
}
