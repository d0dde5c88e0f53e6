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
  readonly #listener: MembershipListener | undefined;
  /** One for all channels: an abort tells whose signal it is, and that finds the channel. */
  readonly #onAbort = ({ target }: Event): void => this.#ended(target as AbortSignal);
  readonly #channels = new Map<AbortSignal, Channel>();

  constructor(listener: MembershipListener | undefined) {
    this.#listener = listener;
  }

  /** Whether `channel` is in the group now: one that is ending or has ended goes in no more. */
  add(name: string, channel: Channel): boolean {
    const { signal } = channel;
    if (signal.aborted) return false;
    let groups = this.#groups.get(channel);
    if (groups === undefined) {
      groups = new Set();
      this.#groups.set(channel, groups);
      this.#channels.set(signal, channel);
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    if (groups.has(name)) return true;
    groups.add(name);
    let members = this.#members.get(name);
    if (members === undefined) {
      members = new Set();
      this.#members.set(name, members);
    }
    members.add(channel);
    this.#listener?.joined(name, channel);
    return true;
  }

  /** Whether it was there. */
  discard(name: string, channel: Channel): boolean {
    const groups = this.#groups.get(channel);
    if (groups?.delete(name) !== true) return false;
    if (groups.size === 0) this.#forget(channel);
    this.#leave(name, channel);
    return true;
  }

  #leave(name: string, channel: Channel): void {
    const members = this.#members.get(name);
    members?.delete(channel);
    if (members?.size === 0) this.#members.delete(name);
    this.#listener?.left(name, channel);
  }

  #ended(signal: AbortSignal): void {
    const channel = this.#channels.get(signal);
    if (channel === undefined) return;
    const groups = this.groupsOf(channel);
    this.#forget(channel);
    for (const name of groups) this.#leave(name, channel);
  }

  #forget(channel: Channel): void {
    this.#groups.delete(channel);
    this.#channels.delete(channel.signal);
    channel.signal.removeEventListener('abort', this.#onAbort);
  }

  membersOf(name: string): ReadonlySet<Channel> {
    return this.#members.get(name) ?? nobody;
  }

  groupsOf(channel: Channel): ReadonlySet<string> {
    return this.#groups.get(channel) ?? none;
  }

  /** Takes all channels out of all groups. */
  clear(): void {
    for (const channel of [...this.#groups.keys()]) {
      for (const name of [...this.groupsOf(channel)]) this.discard(name, channel);
    }
  }
}
