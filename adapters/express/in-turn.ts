import { foundOrMade } from '../../src/found-or-made.js';

const queues = new WeakMap<object, Map<string, Promise<void>>>();

/** Does `work` once all is done that was asked for before with the same store and id, in this process. */
export async function inTurn<Result>(store: object, id: string, work: () => Promise<Result>): Promise<Result> {
  const turns = foundOrMade(queues, store, () => new Map());
  const result = (turns.get(id) ?? Promise.resolve()).then(work);
  const done = result.then(
    () => undefined,
    () => undefined,
  );
  turns.set(id, done);
  try {
    return await result;
  } finally {
    if (turns.get(id) === done) turns.delete(id);
  }
}
