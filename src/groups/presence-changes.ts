import { foundOrMade } from '../found-or-made.js';
import type { CountChange } from './group-counts.js';

/** Who has come into a group and who has left it, all nodes together: ids of users. */
export interface PresenceChange {
  /** Those whose first channel has come. */
  readonly came: readonly string[];
  /** Those whose last channel has left. */
  readonly left: readonly string[];
}

/** Who has been said to be in which group, so that each user comes once and leaves once. */
export class PresenceChanges {
  readonly #said = new Map<string, Set<string>>();

  /** Those of `touched` of whom something else is true now than was said, by group. */
  among(touched: readonly CountChange[], isThere: (name: string, userId: string) => boolean): ReadonlyMap<string, PresenceChange> {
    const changes = new Map<string, { readonly came: string[]; readonly left: string[] }>();
    for (const [name, userId] of touched) {
      const isIn = isThere(name, userId);
      if (!this.#say(name, userId, isIn)) continue;
      const change = foundOrMade(changes, name, () => ({ came: [], left: [] }));
      change[isIn ? 'came' : 'left'].push(userId);
    }
    return changes;
  }

  /** @returns whether that is news. */
  #say(name: string, userId: string, isIn: boolean): boolean {
    const said = this.#said.get(name) ?? new Set();
    if (said.has(userId) === isIn) return false;
    if (isIn) this.#said.set(name, said.add(userId));
    else if (said.delete(userId) && said.size === 0) this.#said.delete(name);
    return true;
  }
}
