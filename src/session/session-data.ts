import type { JsonValue } from '../contracts/session-store.js';
import type { Changes } from './changes.js';
import { putMember } from './json-value.js';

/** The values of a session as somebody sees them. */
export type Snapshot = ReadonlyMap<string, JsonValue>;

const empty: Snapshot = new Map();

/**
 * The committed values of a session. A message that runs holds them as they were when it began. A change is made in place where nobody
 * holds them, else on a copy, which those see who come later.
 */
export class SessionData {
  #values: Snapshot = empty;
  /** How many hold the newest values. Whoever holds older ones is in nobody's way. */
  #holders = 0;

  /** The newest values: for a look, since they may change at once. */
  get values(): Snapshot {
    return this.#values;
  }

  /** The newest values, which stay as they are until they are released. */
  hold(): Snapshot {
    this.#holders += 1;
    return this.#values;
  }

  /** Lets go of what {@link hold} gave; to be called once for each. */
  release(held: Snapshot): void {
    if (held === this.#values) this.#holders -= 1;
  }

  /** Changes the newest values. */
  apply(changes: Changes): void {
    for (const { key, value } of changes) this.put(key, value);
  }

  /** Changes one of the newest values; `undefined` deletes it. */
  put(key: string, value: JsonValue | undefined): void {
    if (this.#holders > 0 || this.#values === empty) this.replace(new Map(this.#values));
    const values = this.#values as Map<string, JsonValue>;
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }

  /** Puts others in place of the newest values. */
  replace(values: Snapshot = empty): void {
    this.#values = values;
    this.#holders = 0;
  }
}

/** An object of `values` with `changes` on top. */
export function objectOf(values: Snapshot, changes: Changes | undefined): Record<string, JsonValue> {
  const result: Record<string, JsonValue> = {};
  for (const [key, value] of values) putMember(result, key, value);
  if (changes === undefined) return result;
  for (const { key, value } of changes) {
    if (value === undefined) delete result[key];
    else putMember(result, key, value);
  }
  return result;
}
