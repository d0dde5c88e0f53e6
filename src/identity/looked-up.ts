import { kindOf, kindOfSecret } from '../kind-of.js';
import { errorOf } from '../thrown.js';
import { someAtATime } from './some-at-a-time.js';

/** A method of a repository, and what errors call it: `tokens.findById`. */
export interface Method<Asked, Answer> {
  readonly name: string;
  call(asked: Asked): Promise<Answer | undefined>;
}

/** How to look up one, and several at once where a repository can. */
export interface LookUp<Id extends string, Found> {
  readonly one: Method<Id, Found>;
  readonly many: Method<readonly Id[], ReadonlyMap<Id, Found>> | undefined;
  /** Whether a key of what `many` gives can be an id. @default whether it is a string */
  readonly isId?: (key: unknown) => boolean;
}

/**
 * What was found under several ids, if it is a map by ids: a list, nothing at all, or a map by the numbers or bytes that a database has for
 * them, does not say that they are all gone.
 *
 * @throws {TypeError} naming the method that returned it.
 */
function checkedAnswers<Id, Found>(
  answers: ReadonlyMap<Id, Found> | undefined,
  method: string,
  isId: (key: unknown) => boolean = isString,
): ReadonlyMap<Id, Found> {
  const { get, [Symbol.iterator]: iterator } = (answers ?? {}) as Partial<ReadonlyMap<Id, Found>>;
  if (answers === undefined || typeof get !== 'function' || typeof iterator !== 'function')
    throw new TypeError(`${method} returned ${kindOf(answers)} where a Map by ids is`);
  for (const [key] of answers) {
    if (isId(key)) continue;
    const got = typeof key === 'string' ? 'a string that is no id' : kindOfSecret(key);
    throw new TypeError(`${method} returned a Map whose keys must be the ids that it was given, got ${got} as one`);
  }
  return answers;
}

function isString(key: unknown): boolean {
  return typeof key === 'string';
}

/**
 * What is made of whatever is found under `ids`, each with its id; an error where nobody can tell. Those that are not there are left out.
 *
 * @param make is told what was found and by which method; what it throws is the error of that one alone.
 */
export async function lookedUp<Id extends string, Found, Made>(
  ids: readonly Id[],
  { one, many, isId }: LookUp<Id, Found>,
  make: (found: Found, method: string) => Made,
): Promise<Map<string, Made | Error>> {
  const made = new Map<string, Made | Error>();
  if (ids.length === 0) return made;
  const note = (id: string, found: Found | undefined, method: string): void => {
    try {
      if (found != null) made.set(id, make(found, method));
    } catch (error) {
      made.set(id, errorOf(error));
    }
  };
  if (many !== undefined) {
    for (const [id, found] of checkedAnswers(await many.call(ids), many.name, isId)) note(id, found, many.name);
    return made;
  }
  await someAtATime(ids, async (id) => {
    try {
      note(id, await one.call(id), one.name);
    } catch (error) {
      made.set(id, errorOf(error));
    }
  });
  return made;
}
