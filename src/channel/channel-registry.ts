import type { Channel } from '../messages.js';
import type { TokenId } from '../token-id.js';
import type { Connection } from './connection.js';
import type { Runtime } from './runtime.js';

/** The live channels of a server: those whose connect has succeeded and whose connection is not gone. */
export interface Channels extends Iterable<Channel> {
  readonly size: number;
  get(id: string): Channel | undefined;
  /** The channels of a user, in the order in which they came. */
  ofUser(userId: string): readonly Channel[];
  /** The channels that a token identified, in the order in which they came. */
  ofToken(tokenId: TokenId): readonly Channel[];
}

/** All channels of a server: finds the live ones by id, user and token, and ends all at a shutdown. */
export class ChannelRegistry implements Channels {
  readonly #runtime: Runtime;
  /** Every channel of which anything still runs, connecting ones and ended ones included. */
  readonly #active = new Set<Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #byUser = new Map<string, Set<Connection>>();
  readonly #byToken = new Map<string, Set<Connection>>();
  #isClosing = false;
  #whenEmpty: (() => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Whether a shutdown has begun: no channel comes any more. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  ofUser(userId: string): readonly Connection[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }

  ofToken(tokenId: TokenId): readonly Connection[] {
    return [...(this.#byToken.get(tokenId) ?? [])];
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#byId.values();
  }

  /** A handshake has arrived. */
  arrived(channel: Connection): void {
    this.#active.add(channel);
  }

  /** Connect has succeeded. */
  opened(channel: Connection): void {
    this.#byId.set(channel.id, channel);
    addTo(this.#byUser, channel.user.id ?? undefined, channel);
    addTo(this.#byToken, channel.tokenId, channel);
  }

  /** The connection is gone, or was refused. */
  closed(channel: Connection): void {
    this.#byId.delete(channel.id);
    deleteFrom(this.#byUser, channel.user.id ?? undefined, channel);
    deleteFrom(this.#byToken, channel.tokenId, channel);
  }

  /** Nothing of the channel runs any more. */
  finished(channel: Connection): void {
    this.#active.delete(channel);
    if (this.#active.size === 0) this.#whenEmpty?.();
  }

  /** Ends all channels, and those that last longer than `timeoutMs` at once. To be called once. */
  async shutDown(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    await Promise.resolve(); // whoever asked for it may finish what it is doing
    for (const channel of [...this.#active]) channel.endWith('ERR_SHUTDOWN');
    if (this.#active.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#runtime.clock.setTimer(resolve, timeoutMs);
        this.#whenEmpty = () => {
          cancel();
          resolve();
        };
      });
      for (const channel of [...this.#active]) channel.terminate();
    }
    this.#runtime.sessions.close();
  }
}

function addTo(index: Map<string, Set<Connection>>, key: string | undefined, channel: Connection): void {
  if (key === undefined) return;
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([channel]));
  else set.add(channel);
}

function deleteFrom(index: Map<string, Set<Connection>>, key: string | undefined, channel: Connection): void {
  const set = key === undefined ? undefined : index.get(key);
  if (set?.delete(channel) === true && set.size === 0) index.delete(key as string);
}
