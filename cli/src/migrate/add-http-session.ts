import type { NameOf } from './decision.js';
import type { Edits } from './edits.js';
import type { Place } from './wrapper-use.js';

/** The names of the package that {@link addHttpSession} writes. */
export function namesToAdd({ isInCompose }: Place): string[] {
  return ['withHttpSession', ...(isInCompose ? [] : ['compose'])];
}

/** `withUserFromToken` → `compose(withUserFromToken, withHttpSession)`, or the second as a neighbour where it is composed already. */
export function addHttpSession(edits: Edits, nameOf: NameOf, { wrapper, isInCompose }: Place, options: string | undefined): void {
  const added = `${nameOf('withHttpSession')}${options === undefined ? '' : `(${options})`}`;
  if (!isInCompose) edits.insertAround(wrapper, `${nameOf('compose')}(`, `, ${added})`);
  else edits.insert(wrapper.end, `, ${added}`);
}
