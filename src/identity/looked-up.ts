import { kindOf } from '../kind-of.js';
import { errorOf } from '../thrown.js';
import { someAtATime } from './some-at-a-time.js';

/** How to look up one, and several at once where a repository can. */
export interface LookUp<Id extends string, Found> {
  one(id: Id): Promise<Found | undefined>;
  readonly many: ((ids: readonly Id[]) => Promise<ReadonlyMap<Id, Found>>) | undefined;
}

/**
 * What was found under several ids, if it is a map: a list, or nothing at all, does not say that they are all gone.
 *
 * @throws {TypeError} naming the method that returned it.
 */
export function checkedAnswers<Id, Found>(answers: ReadonlyMap<Id, Found> | undefined, method: string): ReadonlyMap<Id, Found> {
  const { get, [Symbol.iterator]: iterator } = (answers ?? {}) as Partial<ReadonlyMap<Id, Found>>;
  if (answers !== undefined && typeof get === 'function' && typeof iterator === 'function') return answers;
  throw new TypeError(`${method} returned ${kindOf(answers)} where a Map by ids is`);
}

/** What `make` makes, or the error that it throws. */
function orError<Made>(make: () => Made): Made | Error {
  try {
    return make();
  } catch (error) {
    return errorOf(error);
  }
}

/**
 * What is made of whatever is found under `ids`, each with its id; an error where nobody can tell. Those that are not there are left out.
 *
 * @param make is told what was found and by which method; what it throws is the error of that one alone.
 */
export async function lookedUp<Id extends string, Found, Made>(
  ids: readonly Id[],
  { one, many }: LookUp<Id, Found>,
  make: (found: Found, isOfMany: boolean) => Made,
): Promise<Map<string, Made | Error>> {
  const made = new Map<string, Made | Error>();
  if (ids.length === 0) return made;
  if (many !== undefined) {
    for (const [id, found] of await many(ids))
      if (found != null)
        made.set(
          id,
          orError(() => make(found, true)),
        );
    return made;
  }
  await someAtATime(ids, async (id) => {
    try {
      const found = await one(id);
      if (found != null) made.set(id, make(found, false));
    } catch (error) {
      made.set(id, errorOf(error));
    }
  });
  return made;
}
