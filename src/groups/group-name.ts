import { kindOf } from '../kind-of.js';

/** The longest name of a group, in bytes of UTF-8. */
const maxNameBytes = 512;

/** What names that groups keep to themselves begin with. */
export const ownPrefix = '\u0000';

/** @throws {TypeError} unless `name` can be a group's: well-formed Unicode of 1 to 512 bytes of UTF-8 that does not begin with U+0000. */
export function checkGroupName(owner: string, name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`${owner}: name must be a string, got ${kindOf(name)}`);
  // most names are short, and need not be measured
  const bytes = 3 * name.length <= maxNameBytes ? name.length : Buffer.byteLength(name);
  if (bytes === 0 || bytes > maxNameBytes) {
    throw new TypeError(`${owner}: name must have 1 to ${maxNameBytes} bytes of UTF-8, got ${bytes}`);
  }
  if (name.startsWith(ownPrefix)) throw new TypeError(`${owner}: name must not begin with U+0000`);
  if (!isWellFormed(name)) throw new TypeError(`${owner}: name must be well-formed Unicode, got half of a surrogate pair`);
}

/** Half of a surrogate pair has no UTF-8: another process would know the group by another name. */
function isWellFormed(name: string): boolean {
  return !/\p{Surrogate}/u.test(name);
}
