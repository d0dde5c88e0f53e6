import { addressOf } from '../handshake.js';
import { kindOf } from '../kind-of.js';
import { ignore } from '../maybe-promise.js';
import type { HandshakeRequest } from '../messages.js';

/** How many channels one client may have. */
export interface LimitOptions {
  /** How many channels one user may have on this server, connecting ones included; one more is refused with 429. @default no limit */
  readonly maxChannelsPerUser?: number | undefined;
  /**
   * How many channels may come from one address to this server, connecting ones included; one more is refused with 429 before anything is
   * looked up. @default no limit
   */
  readonly maxChannelsPerAddress?: number | undefined;
  /**
   * From which address a handshake comes, for {@link maxChannelsPerAddress}: e.g. the prefix of an IPv6 address, or a header that your
   * proxy sets. `undefined` counts nowhere; a throw refuses with 500. @default that of the connection, or the last entry of
   * `X-Forwarded-For` with `trustProxy`
   */
  readonly clientAddress?: ((request: HandshakeRequest) => string | undefined) | undefined;
}

/** Which slots a channel holds. */
interface Held {
  address: string | undefined;
  userId: string | undefined;
}

/** Counts the channels of each user and address. A slot is taken at once, however many ask for it, and held until its channel is gone. */
export class ChannelLimits {
  readonly #options: LimitOptions & { readonly trustProxy: boolean };
  readonly #ofAddress: Slots;
  readonly #ofUser: Slots;
  readonly #held = new Map<object, Held>();

  constructor(options: LimitOptions & { readonly trustProxy: boolean }) {
    this.#options = options;
    this.#ofAddress = new Slots(options.maxChannelsPerAddress);
    this.#ofUser = new Slots(options.maxChannelsPerUser);
  }

  /**
   * Whether the address of `request` may have one more channel, which `channel` is then.
   *
   * @throws {TypeError} when `clientAddress` returns no string; whatever it throws.
   */
  takeAddress(channel: object, request: HandshakeRequest): boolean {
    if (this.#ofAddress.max === undefined) return true;
    const address = this.#addressOf(request);
    if (address === undefined) return true;
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

  #addressOf(request: HandshakeRequest): string | undefined {
    const { clientAddress, trustProxy } = this.#options;
    const address: unknown = clientAddress === undefined ? addressOf(request, trustProxy) : clientAddress(request);
    if (address === undefined || typeof address === 'string') return address;
    ignore(address); // a promise may reject
    throw new TypeError(`ChannelServer: clientAddress must return a string or undefined, got ${kindOf(address)}`);
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
