import type { RuntimeChannel } from '../channel/channel-host.js';
import type { Channel } from '../messages.js';
import type { TokenId } from '../token-id.js';

/** The live channels of a server: those whose connect has succeeded and whose connection is not gone. */
export interface Channels extends Iterable<Channel> {
  readonly size: number;
  get(id: string): Channel | undefined;
  /** The channels of a user, in the order in which they came. */
  ofUser(userId: string): readonly Channel[];
  /** The channels that a token identified, in the order in which they came. */
  ofToken(tokenId: TokenId): readonly Channel[];
}

/** Finds live channels by id, user and token. */
export class ChannelRegistry implements Channels {
  readonly #byId = new Map<string, RuntimeChannel>();
  readonly #byUser = new Map<string, Set<RuntimeChannel>>();
  readonly #byToken = new Map<string, Set<RuntimeChannel>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): RuntimeChannel | undefined {
    return this.#byId.get(id);
  }

  ofUser(userId: string): readonly RuntimeChannel[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }

  ofToken(tokenId: TokenId): readonly RuntimeChannel[] {
    return [...(this.#byToken.get(tokenId) ?? [])];
  }

  [Symbol.iterator](): IterableIterator<RuntimeChannel> {
    return this.#byId.values();
  }

  add(channel: RuntimeChannel): void {
    this.#byId.set(channel.id, channel);
    addTo(this.#byUser, channel.user.id ?? undefined, channel);
    addTo(this.#byToken, channel.tokenId, channel);
  }

  delete(channel: RuntimeChannel): void {
    this.#byId.delete(channel.id);
    deleteFrom(this.#byUser, channel.user.id ?? undefined, channel);
    deleteFrom(this.#byToken, channel.tokenId, channel);
  }
}

function addTo(index: Map<string, Set<RuntimeChannel>>, key: string | undefined, channel: RuntimeChannel): void {
  if (key === undefined) return;
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([channel]));
  else set.add(channel);
}

function deleteFrom(index: Map<string, Set<RuntimeChannel>>, key: string | undefined, channel: RuntimeChannel): void {
  const set = key === undefined ? undefined : index.get(key);
  if (set?.delete(channel) === true && set.size === 0) index.delete(key as string);
}
