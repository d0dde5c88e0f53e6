import type { Connection } from '../channel/connection.js';
import { boundedLookUp, type LookUpSignal } from '../identity/bounded-look-up.js';
import type { BoundSource, Finding, KeySource } from '../identity/user-source.js';
import { kindOfSecret } from '../kind-of.js';
import { nothing } from '../maybe-promise.js';
import { digestOf } from '../token-id.js';
import type { LiveParts } from './rechecks.js';

interface Pending {
  readonly keyDigest: string;
  readonly done: Promise<boolean>;
}

/** Lets channels go over to another token of their user that the client presents. */
export class Reauthentications {
  readonly #parts: LiveParts;
  readonly #pending = new Map<Connection, Pending>();

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** Whether a token is being looked up to which a channel may go over. */
  isUnderWay(channel: Connection): boolean {
    return this.#pending.has(channel);
  }

  /** Resolves to whether the channel now lives by the token of `key`. One look-up at a time for each channel. */
  async run(channel: Connection, key: unknown): Promise<boolean> {
    const sources = this.#sourcesOf(channel);
    if (typeof key !== 'string' || !sources.some(({ keys }) => keys?.accepts(key))) {
      const got = typeof key === 'string' && key !== '' ? `a string of ${key.length} characters that is none` : kindOfSecret(key);
      throw new TypeError(
        `channel.reauthenticate: key must be a token's key (of fromToken: 16 to 512 characters of [A-Za-z0-9._~+/=-]), got ${got}`,
      );
    }
    const keyDigest = digestOf(key); // so that no key is kept
    const earlier = this.#pending.get(channel);
    if (earlier?.keyDigest === keyDigest) return earlier.done;
    const done = (earlier?.done.catch(() => false) ?? Promise.resolve()).then(() => this.#present(channel, sources, key));
    const pending: Pending = { keyDigest, done };
    this.#pending.set(channel, pending);
    try {
      return await done;
    } finally {
      if (this.#pending.get(channel) === pending) this.#pending.delete(channel);
    }
  }

  /** Where the token is looked up: first through the channel's own source, if that is one of tokens. */
  #sourcesOf({ identity }: Connection): readonly BoundSource[] {
    const own = identity.source;
    const others = this.#parts.runtime.plan.sources?.filter((source) => source !== own) ?? [];
    const sources = (own === undefined ? others : [own, ...others]).filter(({ keys }) => keys !== undefined);
    if (sources.length === 0) throw new TypeError('channel.reauthenticate: no wrapper of this server identifies channels by tokens');
    return sources;
  }

  /** The first source that finds the channel's own user decides. */
  async #present(channel: Connection, sources: readonly BoundSource[], key: string): Promise<boolean> {
    for (const source of sources) {
      if (!channel.isOpen || channel.identity.keys === undefined) return false; // nobody's, or over
      const { keys } = source;
      if (keys?.accepts(key) && (await this.#presentTo(channel, source, keys, key))) return true;
    }
    return false;
  }

  async #presentTo(channel: Connection, source: BoundSource, keys: KeySource, key: string): Promise<boolean> {
    const { runtime, registry, grants, log } = this.#parts;
    const { mark } = log;
    const askedAt = runtime.clock.monotonic();
    const find = (aborting: LookUpSignal): Promise<Finding> => keys.find(key, { claim: nothing, aborting });
    const finding = await boundedLookUp('Looking up the token that a live channel goes over to', find, runtime.timeLimit);
    const { user, authentication } = finding;
    const { tokenId, expiresAt, scopes } = authentication;
    const other = { tokenId, standing: { user, expiresAt, scopes }, source, finding };
    if (!channel.isOpen || user === undefined || !grants.mayGoOver(channel, other, mark)) return false;
    grants.goOver(channel, other, askedAt);
    registry.rename(channel);
    return true;
  }
}
