import { checkedOptions, type Rules } from '../../src/checked-options.js';
import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import { checkBroadcast } from '../../src/feeds/check-broadcast.js';
import { Subscribers } from '../../src/feeds/subscribers.js';

/** Options of {@link MemoryBroadcaster}. */
export interface MemoryBroadcasterOptions {
  /** Another broadcaster, which it joins with all that have joined that one: they hear each other. @default nobody */
  readonly joins?: MemoryBroadcaster | undefined;
}

const rules: Rules<MemoryBroadcasterOptions> = {
  joins: { must: 'a MemoryBroadcaster', accepts: (value) => value instanceof MemoryBroadcaster },
};

/**
 * Several nodes in one process, for tests: each `Groups` gets its own broadcaster, which joins another's. When `publish` returns, the
 * others have heard the message, so there is never a gap.
 */
export class MemoryBroadcaster implements Broadcaster {
  readonly #subscribers = new Subscribers<[group: string, data: string | Uint8Array]>();
  readonly #all: Set<MemoryBroadcaster>;

  /** @throws {TypeError} when an option is not what it must be. */
  constructor(options: MemoryBroadcasterOptions = {}) {
    const { joins } = checkedOptions('MemoryBroadcaster', options, rules);
    this.#all = joins === undefined ? new Set() : joins.#all;
    this.#all.add(this);
  }

  /** @throws {TypeError} (as a rejection) when `group` is no string or empty, or `data` neither a string nor bytes. */
  async publish(group: string, data: string | Uint8Array): Promise<void> {
    checkBroadcast('MemoryBroadcaster.publish', group, data);
    for (const other of this.#all) {
      if (other !== this) other.#subscribers.tell(group, typeof data === 'string' ? data : Uint8Array.from(data));
    }
  }

  /** @throws {TypeError} (as a rejection) when a callback is no function. */
  subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe('MemoryBroadcaster', { on, onGap });
  }
}
