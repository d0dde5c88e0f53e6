import type { Connection } from './connection.js';

/** Finds channels by a key. Most keys have one channel, which then stands there by itself: a set for each would be most of the memory. */
export class ChannelIndex<Key extends string> {
  readonly #channels = new Map<Key, Connection | Set<Connection>>();

  /** The channels of `key`, in the order in which they were added. */
  of(key: Key): readonly Connection[] {
    const found = this.#channels.get(key);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }

  /** Adds a channel, once. */
  add(key: Key | undefined, channel: Connection): void {
    if (key === undefined) return;
    const found = this.#channels.get(key);
    if (found === undefined) this.#channels.set(key, channel);
    else if (found instanceof Set) found.add(channel);
    else if (found !== channel) this.#channels.set(key, new Set([found, channel]));
  }

  delete(key: Key | undefined, channel: Connection): void {
    if (key === undefined) return;
    const found = this.#channels.get(key);
    if (found === channel) this.#channels.delete(key);
    else if (found instanceof Set && found.delete(channel) && found.size === 0) this.#channels.delete(key);
  }
}
