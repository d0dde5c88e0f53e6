import { foundOrMade } from '../found-or-made.js';

/** How many channels each user has in a group. */
export type UserCounts = Map<string, number>;

/** A group, one of its users, and how many channels that user has in it now. */
export type CountChange = readonly [name: string, userId: string, count: number];

/** How many channels of which users are in which groups. */
export class GroupCounts {
  readonly #groups = new Map<string, UserCounts>();

  set(name: string, userId: string, count: number): void {
    if (count > 0) {
      foundOrMade(this.#groups, name, (): UserCounts => new Map()).set(userId, count);
      return;
    }
    const users = this.#groups.get(name);
    if (users?.delete(userId) === true && users.size === 0) this.#groups.delete(name);
  }

  get(name: string, userId: string): number {
    return this.#groups.get(name)?.get(userId) ?? 0;
  }

  /** Adds those of a group to `sum`. */
  addTo(sum: UserCounts, name: string): void {
    const users = this.#groups.get(name);
    if (users === undefined) return;
    for (const [userId, count] of users) sum.set(userId, (sum.get(userId) ?? 0) + count);
  }

  *all(): Iterable<CountChange> {
    for (const [name, users] of this.#groups) {
      for (const [userId, count] of users) yield [name, userId, count];
    }
  }
}
