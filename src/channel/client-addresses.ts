import { foundOrMade } from '../found-or-made.js';
import { addressOf } from '../handshake.js';
import { kindOf } from '../kind-of.js';
import { ignore } from '../maybe-promise.js';
import type { HandshakeRequest } from '../messages.js';

/** How a server decides from which address a handshake comes. */
export interface AddressOptions {
  /**
   * From which address a handshake comes, for `maxChannelsPerAddress`, `withRateLimit({ by: 'address' })` and `message.request.address`:
   * e.g. the prefix of an IPv6 address, or a header that your proxy sets. Asked once for each handshake. `undefined` counts nowhere; a
   * throw refuses with 500.
   *
   * @default that of the connection, or the last entry of `X-Forwarded-For` with `trustProxy`
   */
  readonly clientAddress?: ((request: HandshakeRequest) => string | undefined) | undefined;
}

/** Decides from which address handshakes come, once for each. */
export class ClientAddresses {
  readonly #options: AddressOptions & { readonly trustProxy: boolean };
  /** Whether they are those of the peers: these need not be asked for before somebody wants them. */
  readonly arePeers: boolean;
  readonly #decided = new WeakMap<HandshakeRequest, { readonly address: string | undefined }>();

  constructor(options: AddressOptions & { readonly trustProxy: boolean }) {
    this.#options = options;
    this.arePeers = options.clientAddress === undefined && !options.trustProxy;
  }

  /** @throws {TypeError} when `clientAddress` returns no string; whatever it throws. */
  of(request: HandshakeRequest): string | undefined {
    const { clientAddress, trustProxy } = this.#options;
    if (clientAddress === undefined) return addressOf(request, trustProxy);
    return foundOrMade(this.#decided, request, () => ({ address: checkedAddress(clientAddress(request)) })).address;
  }
}

function checkedAddress(address: unknown): string | undefined {
  if (address === undefined || typeof address === 'string') return address;
  ignore(address); // a promise may reject
  throw new TypeError(`ChannelServer: clientAddress must return a string or undefined, got ${kindOf(address)}`);
}
