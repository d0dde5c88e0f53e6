import { anInteger, checkedOptions, type Rules } from '../../src/checked-options.js';
import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import type { FeedHealth } from '../../src/contracts/revocation-feed.js';
import { checkBroadcast } from '../../src/feeds/check-broadcast.js';
import { type SharedSubscription, Subscribers } from '../../src/feeds/subscribers.js';
import { BroadcastLane, type LaneListener } from './broadcast-lane.js';
import { Operations } from './operations.js';
import { type RedisOptions, redisRules } from './options.js';
import type { RedisClient } from './redis-client.js';

/** Options of {@link RedisBroadcaster}. */
export interface RedisBroadcasterOptions extends RedisOptions {
  /**
   * Over how many sharded channels groups are spread in a cluster, an integer from 1 to 1,024. Each costs every process a connection. All
   * processes must give the same number. Without a cluster there is one channel.
   *
   * @default 3
   */
  readonly shards?: number | undefined;
  /**
   * How many bytes of messages may wait for an answer, an integer from 1. Past it, `publish` rejects, and others are told of a gap.
   *
   * @default 16,777,216
   */
  readonly maxPendingBytes?: number | undefined;
}

const owner = 'RedisBroadcaster';

/** What its options must be. */
export const broadcasterRules: Rules<RedisBroadcasterOptions> = {
  ...redisRules,
  shards: anInteger(1, 1_024),
  maxPendingBytes: anInteger(1),
};

/**
 * Carries messages of groups over the pub/sub of Redis or Valkey, sharded if the client is one of a cluster. It opens a connection to hear,
 * and sends on the client's. It keeps nothing while Redis is away: `publish` rejects at once, and the others are told of a gap.
 */
export class RedisBroadcaster implements Broadcaster {
  readonly #lanes: readonly BroadcastLane[];
  readonly #subscribers = new Subscribers<[group: string, data: string | Uint8Array]>();
  /** The channels that cannot be heard. */
  readonly #failing = new Set<string>();
  readonly #shared: SharedSubscription = {
    begin: () => Promise.all(this.#lanes.map((lane) => lane.listen())),
    end: () => this.#stop(),
  };

  /** @throws {TypeError} when `client` is none of `ioredis` or `redis`, or an option is out of its range. */
  constructor(client: RedisClient, options: RedisBroadcasterOptions = {}) {
    const { shards = 3, maxPendingBytes = 16_777_216, ...shared } = checkedOptions(owner, options, broadcasterRules);
    const operations = new Operations(owner, client, shared);
    const { gateway, prefix } = operations;
    const channels = gateway.isCluster
      ? Array.from({ length: shards }, (_, index) => `${prefix}broadcast:${index}`)
      : [`${prefix}broadcast`];
    const bounds = { maxPendingBytes: Math.ceil(maxPendingBytes / channels.length) };
    const listener = (channel: string): LaneListener => ({
      tell: (group, data) => this.#subscribers.tell(group, data),
      gap: () => this.#subscribers.tellGap(),
      failed: (error) => {
        this.#failing.add(channel);
        this.#subscribers.tellFailed(error);
      },
      restored: () => {
        if (this.#failing.delete(channel) && this.#failing.size === 0) this.#subscribers.tellRestored();
      },
    });
    this.#lanes = channels.map((channel) => new BroadcastLane(operations, channel, listener(channel), bounds));
  }

  /**
   * As the contract says.
   *
   * @throws {TypeError} (as a rejection) when `group` is no string or empty, or `data` neither a string nor bytes.
   * @throws {ChannelError} (as a rejection) `ERR_BROADCAST_FAILED` when Redis is away, or too much is on its way.
   */
  async publish(group: string, data: string | Uint8Array): Promise<void> {
    checkBroadcast(`${owner}.publish`, group, data);
    await this.#laneOf(group).publish(group, data);
  }

  /**
   * As the contract says.
   *
   * @throws {TypeError} (as a rejection) when a callback is no function.
   */
  subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe(owner, { on, onGap, health }, this.#shared);
  }

  #stop(): void {
    this.#failing.clear();
    for (const lane of this.#lanes) lane.stop();
  }

  #laneOf(group: string): BroadcastLane {
    const { length } = this.#lanes;
    return this.#lanes[length === 1 ? 0 : hashOf(group) % length] as BroadcastLane;
  }
}

/** FNV-1a over the code units: the same in each process. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
