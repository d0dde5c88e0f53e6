import { foundOrMade } from '../found-or-made.js';
import type { AddressOptions } from './client-addresses.js';

/** How many channels one client may have. */
export interface LimitOptions extends AddressOptions {
  /**
   * How many channels one user may have on this server, connecting ones included, an integer from 1; one more is refused with 429.
   *
   * @default no limit
   */
  readonly maxChannelsPerUser?: number | undefined;
  /**
   * How many channels may come from one address to this server, connecting ones included, an integer from 1; one more is refused with 429
   * before anything is looked up.
   *
   * @default no limit
   */
  readonly maxChannelsPerAddress?: number | undefined;
}

/** As whose a channel is counted. */
interface Counted {
  address: string | undefined;
  userId: string | undefined;
}

/** Counts the channels of each user and address. A channel counts at once, however many come together, and until it is gone. */
export class ChannelLimits {
  readonly #ofAddress: BoundedCounts;
  readonly #ofUser: BoundedCounts;
  readonly #counted = new Map<object, Counted>();

  constructor(options: LimitOptions) {
    this.#ofAddress = new BoundedCounts(options.maxChannelsPerAddress);
    this.#ofUser = new BoundedCounts(options.maxChannelsPerUser);
  }

  /** Whether an address may have one more channel, which `channel` is then. */
  takeAddress(channel: object, address: string | undefined): boolean {
    if (this.#ofAddress.max === Number.POSITIVE_INFINITY || address === undefined) return true;
    if (!this.#ofAddress.add(address)) return false;
    this.#countedOf(channel).address = address;
    return true;
  }

  /** Whether the user may have one more channel, which `channel` is then. */
  takeUser(channel: object, userId: string | null): boolean {
    if (this.#ofUser.max === Number.POSITIVE_INFINITY || userId === null) return true;
    if (!this.#ofUser.add(userId)) return false;
    this.#countedOf(channel).userId = userId;
    return true;
  }

  /** The channel is gone, and counts no more. */
  release(channel: object): void {
    const counted = this.#counted.get(channel);
    if (counted === undefined) return;
    this.#counted.delete(channel);
    this.#ofAddress.subtract(counted.address);
    this.#ofUser.subtract(counted.userId);
  }

  #countedOf(channel: object): Counted {
    return foundOrMade(this.#counted, channel, () => ({ address: undefined, userId: undefined }));
  }
}

/** How many there are of each key, which is no more than `max`. */
class BoundedCounts {
  readonly max: number;
  readonly #counts = new Map<string, number>();

  constructor(max = Number.POSITIVE_INFINITY) {
    this.max = max;
  }

  /** One more, if it may be; whether it may. */
  add(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.max) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  subtract(key: string | undefined): void {
    if (key === undefined) return;
    const left = (this.#counts.get(key) ?? 0) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
