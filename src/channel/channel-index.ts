import type { IdentityKeys } from '../identity/user-source.js';
import type { Connection } from './connection.js';

/** Which channels a key has. Most keys have one, which then stands there by itself: a set for each would be most of the memory. */
class Entries<Key extends string> {
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

/**
 * Finds channels by user, token and HTTP session. The registry makes it when somebody first looks for one, and keeps it up from then on.
 */
export class ChannelIndex {
  readonly #byUser = new Entries<string>();
  readonly #byToken = new Entries<NonNullable<IdentityKeys['tokenId']>>();
  readonly #byHttpSession = new Entries<string>();

  /** @param channels all that there are. */
  constructor(channels: Iterable<Connection>) {
    for (const channel of channels) {
      const { keys = {}, claims = [] } = channel.identity;
      for (const each of [...claims, keys]) this.add(channel, each);
    }
  }

  /** The channels that have one of `keys`. */
  find({ userId, tokenId, httpSessionId }: IdentityKeys): readonly Connection[] {
    if (tokenId !== undefined) return this.#byToken.of(tokenId);
    if (userId !== undefined) return this.#byUser.of(userId);
    return httpSessionId === undefined ? [] : this.#byHttpSession.of(httpSessionId);
  }

  add(channel: Connection, { userId, tokenId, httpSessionId }: IdentityKeys): void {
    this.#byUser.add(userId, channel);
    this.#byToken.add(tokenId, channel);
    this.#byHttpSession.add(httpSessionId, channel);
  }

  /** `channel` is no longer found by these keys, but for those that are still its own. */
  delete(channel: Connection, { userId, tokenId, httpSessionId }: IdentityKeys): void {
    const { keys } = channel.identity;
    if (userId !== keys?.userId) this.#byUser.delete(userId, channel);
    if (tokenId !== keys?.tokenId) this.#byToken.delete(tokenId, channel);
    if (httpSessionId !== keys?.httpSessionId) this.#byHttpSession.delete(httpSessionId, channel);
  }
}
