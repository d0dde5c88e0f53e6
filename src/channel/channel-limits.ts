import type { AddressOptions } from './client-addresses.js';

/** How many channels one client may have. */
export interface LimitOptions extends AddressOptions {
  /** How many channels one user may have on this server, connecting ones included, an integer from 1; one more is refused with 429. @default no limit */
  readonly maxChannelsPerUser?: number | undefined;
  /**
   * How many channels may come from one address to this server, connecting ones included, an integer from 1; one more is refused with 429
   * before anything is looked up. @default no limit
   */
  readonly maxChannelsPerAddress?: number | undefined;
}

/** Which slots a channel holds. */
interface Held {
  address: string | undefined;
  userId: string | undefined;
}

/** Counts the channels of each user and address. A slot is taken at once, however many ask for it, and held until its channel is gone. */
export class ChannelLimits {
  readonly #ofAddress: Slots;
  readonly #ofUser: Slots;
  readonly #held = new Map<object, Held>();

  constructor(options: LimitOptions) {
    this.#ofAddress = new Slots(options.maxChannelsPerAddress);
    this.#ofUser = new Slots(options.maxChannelsPerUser);
  }

  /** Whether an address may have one more channel, which `channel` is then. */
  takeAddress(channel: object, address: string | undefined): boolean {
    if (this.#ofAddress.max === undefined || address === undefined) return true;
    if (!this.#ofAddress.take(address)) return false;
    this.#heldBy(channel).address = address;
    return true;
  }

  /** Whether the user may have one more channel, which `channel` is then. */
  takeUser(channel: object, userId: string | null): boolean {
    if (this.#ofUser.max === undefined || userId === null) return true;
    if (!this.#ofUser.take(userId)) return false;
    this.#heldBy(channel).userId = userId;
    return true;
  }

  /** The channel is gone: whatever it holds is free. */
  release(channel: object): void {
    const held = this.#held.get(channel);
    if (held === undefined) return;
    this.#held.delete(channel);
    this.#ofAddress.free(held.address);
    this.#ofUser.free(held.userId);
  }

  #heldBy(channel: object): Held {
    const held = this.#held.get(channel) ?? { address: undefined, userId: undefined };
    this.#held.set(channel, held);
    return held;
  }
}

/** How many slots of each key are taken. */
class Slots {
  readonly max: number | undefined;
  readonly #taken = new Map<string, number>();

  constructor(max: number | undefined) {
    this.max = max;
  }

  take(key: string): boolean {
    const taken = this.#taken.get(key) ?? 0;
    if (this.max !== undefined && taken >= this.max) return false;
    this.#taken.set(key, taken + 1);
    return true;
  }

  free(key: string | undefined): void {
    if (key === undefined) return;
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
