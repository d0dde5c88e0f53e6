import { Connection } from '../channel/connection.js';
import { notWhenEnding, whenEnding } from '../channel/when-ending.js';
import { foundOrMade } from '../found-or-made.js';
import type { Channel } from '../messages.js';

const nobody: ReadonlySet<Channel> = new Set();
const none: ReadonlySet<string> = new Set();

/** What becomes of memberships, for whoever keeps count. */
export interface MembershipListener {
  joined(name: string, channel: Channel): void;
  left(name: string, channel: Channel): void;
}

/** Which channels of this process are in which groups. A group is there while somebody is in it. */
export class Memberships {
  readonly #members = new Map<string, Set<Channel>>();
  readonly #groups = new Map<Channel, Set<string>>();
  /** Those whose signals are listened to: for as long as they live, however often they leave and come back. */
  readonly #watched = new WeakSet<Channel>();
  readonly #listener: MembershipListener | undefined;
  readonly #onEnding = (channel: object): void => this.#ended(channel as Channel);

  constructor(listener: MembershipListener | undefined) {
    this.#listener = listener;
  }

  /** Whether `channel` is in the group now: one that is ending or has ended goes in no more. */
  add(name: string, channel: Channel): boolean {
    if (!isOpen(channel)) return false;
    let groups = this.#groups.get(channel);
    if (groups === undefined) {
      groups = new Set();
      this.#groups.set(channel, groups);
      this.#watch(channel);
    }
    if (groups.has(name)) return true;
    groups.add(name);
    foundOrMade(this.#members, name, () => new Set<Channel>()).add(channel);
    this.#listener?.joined(name, channel);
    return true;
  }

  /** Whether it was there. */
  discard(name: string, channel: Channel): boolean {
    const groups = this.#groups.get(channel);
    if (groups?.delete(name) !== true) return false;
    if (groups.size === 0) {
      this.#groups.delete(channel);
      notWhenEnding(channel, this.#onEnding); // or it would hold on to every `Groups` that it was ever in
    }
    this.#leave(name, channel);
    return true;
  }

  /** A channel that a test has made says by its signal that it begins to end, if by anything. */
  #watch(channel: Channel): void {
    if (channel instanceof Connection) whenEnding(channel, this.#onEnding);
    else if (!this.#watched.has(channel)) {
      this.#watched.add(channel);
      (channel.signal as Partial<AbortSignal> | undefined)?.addEventListener?.('abort', () => this.#ended(channel), { once: true });
    }
  }

  #leave(name: string, channel: Channel): void {
    const members = this.#members.get(name);
    members?.delete(channel);
    if (members?.size === 0) this.#members.delete(name);
    this.#listener?.left(name, channel);
  }

  #ended(channel: Channel): void {
    const groups = this.groupsOf(channel);
    this.#groups.delete(channel);
    for (const name of groups) this.#leave(name, channel);
  }

  membersOf(name: string): ReadonlySet<Channel> {
    return this.#members.get(name) ?? nobody;
  }

  groupsOf(channel: Channel): ReadonlySet<string> {
    return this.#groups.get(channel) ?? none;
  }

  /** Takes all channels out of all groups. */
  clear(): void {
    for (const [channel, groups] of this.#groups) for (const name of groups) this.discard(name, channel);
  }
}

/** Whether `channel` neither ends nor has ended. */
function isOpen(channel: Channel): boolean {
  return channel instanceof Connection ? channel.isOpen : (channel.signal as AbortSignal | undefined)?.aborted !== true;
}
