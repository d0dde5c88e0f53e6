import type { ChannelRegistry } from '../channel/channel-registry.js';
import type { Connection } from '../channel/connection.js';
import type { Runtime } from '../channel/runtime.js';
import { boundedLookUp } from '../identity/bounded-look-up.js';
import type { BoundSource } from '../identity/user-source.js';
import { kindOf } from '../kind-of.js';
import { isTokenKey, type TokenId, tokenIdOf } from '../token-id.js';
import type { Grants } from './grants.js';
import type { RevocationLog } from './revocation-log.js';

interface Pending {
  readonly tokenId: TokenId;
  readonly done: Promise<boolean>;
}

/** Lets channels go over to another token of their user that the client presents. */
export class Reauthentications {
  readonly #runtime: Runtime;
  readonly #registry: ChannelRegistry;
  readonly #grants: Grants;
  readonly #log: RevocationLog;
  readonly #pending = new Map<Connection, Pending>();

  constructor(runtime: Runtime, registry: ChannelRegistry, grants: Grants, log: RevocationLog) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#grants = grants;
    this.#log = log;
  }

  /** Resolves to whether the channel now lives by the token of `key`. One look-up at a time for each channel. */
  async run(channel: Connection, key: unknown): Promise<boolean> {
    if (!isTokenKey(key)) {
      const got = typeof key === 'string' ? `a string of ${key.length} characters that is none` : kindOf(key);
      throw new TypeError(`channel.reauthenticate: key must be a token's key, 16 to 512 characters of [A-Za-z0-9._~+/=-], got ${got}`);
    }
    const source = this.#sourceOf(channel);
    const tokenId = tokenIdOf(key);
    const earlier = this.#pending.get(channel);
    if (earlier?.tokenId === tokenId) return earlier.done;
    const done = (earlier?.done.catch(() => false) ?? Promise.resolve()).then(() => this.#present(channel, source, tokenId));
    const pending: Pending = { tokenId, done };
    this.#pending.set(channel, pending);
    try {
      return await done;
    } finally {
      if (this.#pending.get(channel) === pending) this.#pending.delete(channel);
    }
  }

  /** Where the token is looked up: through the channel's own source, if that is one of tokens. */
  #sourceOf({ identity }: Connection): BoundSource {
    const own = identity.source?.recheck?.present === undefined ? undefined : identity.source;
    const source = own ?? this.#runtime.plan.sources?.find(({ recheck }) => recheck?.present !== undefined);
    if (source === undefined) throw new TypeError('channel.reauthenticate: no wrapper of this server identifies channels by tokens');
    return source;
  }

  async #present(channel: Connection, source: BoundSource, tokenId: TokenId): Promise<boolean> {
    if (!channel.isOpen || channel.keys === undefined) return false; // nobody's, or over
    const { clock, connectTimeoutMs } = this.#runtime;
    const mark = this.#log.mark;
    const askedAt = clock.monotonic();
    const standing = await boundedLookUp(
      'Looking up the token that a live channel goes over to',
      async () => source.recheck?.present?.(tokenId),
      clock,
      connectTimeoutMs,
    );
    if (!channel.isOpen || standing === undefined || !this.#grants.mayGoOver(channel, { tokenId, standing }, mark)) return false;
    this.#grants.goOver(channel, { tokenId, standing, source }, askedAt);
    this.#registry.rename(channel);
    return true;
  }
}
