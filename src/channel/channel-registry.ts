import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { channelCounts } from '../channel-counts.js';
import type { IdentityKeys } from '../identity/user-source.js';
import type { TokenId } from '../token-id.js';
import { newChannelId } from './channel-id.js';
import { ChannelIndex } from './channel-index.js';
import type { ChannelWatch } from './channel-watch.js';
import type { Channels } from './channels.js';
import { completePrototype } from './complete-prototype.js';
import { arrival, type Connection } from './connection.js';
import { LingeringConnects } from './lingering-connects.js';
import type { Runtime } from './runtime.js';
import { mayHandle, reportUnfinished } from './unfinished-work.js';

/** How many turns of the event loop a socket takes to be gone once it is dropped, and what follows from that. */
const lastTurns = 4;

/** What came. */
export interface Arrived {
  [arrival]: number;
}

/**
 * How many that came one after the other share a page. Few: one that stays keeps all of its page. And a list has room for 17 from its first
 * element on.
 */
const pageSize = 16;

/** Those of one page that are still there, each at its place, and how many they are. */
interface Page<Channel> {
  readonly places: (Channel | undefined)[];
  count: number;
}

/**
 * Channels in the order in which they came. They stand on pages, which are thrown away empty. A `Set` copies its table when it grows or
 * shrinks, and the old one holds on to channels that are gone until the next full garbage collection: so of a thousand that came and went,
 * hundreds outlived all collections of young objects, and each of these had to move them.
 */
export class Arrivals<Channel extends Arrived> implements Iterable<Channel> {
  readonly #pages = new Map<number, Page<Channel>>();
  #last: Page<Channel> | undefined;
  /** Begins anywhere: to assertions, which see nothing of a channel but this number, those of two servers differ. */
  #arrivals = (pageSize * randomInt(0x100_0000)) | 0; // what randomInt gives would be an object of its own in each channel
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(channel: Channel): void {
    const count = this.#arrivals;
    this.#arrivals += 1;
    this.#size += 1;
    channel[arrival] = count;
    let page = this.#last;
    if (page === undefined || page.places.length === pageSize) {
      page = { places: [], count: 0 };
      this.#pages.set(Math.floor(count / pageSize), page);
      this.#last = page;
    }
    page.places.push(channel);
    page.count += 1;
  }

  /** Takes `channel` away, which was added; a second time changes nothing. */
  delete(channel: Channel): void {
    const number = Math.floor(channel[arrival] / pageSize);
    const place = channel[arrival] % pageSize;
    const page = this.#pages.get(number);
    if (page?.places[place] !== channel) return;
    page.places[place] = undefined;
    page.count -= 1;
    this.#size -= 1;
    if (page.count === 0 && page.places.length === pageSize) this.#pages.delete(number);
  }

  /** Those that come meanwhile are among them. */
  *[Symbol.iterator](): IterableIterator<Channel> {
    for (const { places } of this.#pages.values()) {
      for (let place = 0; place < places.length; place += 1) {
        const channel = places[place];
        if (channel !== undefined) yield channel;
      }
    }
  }
}

/** All channels of a server: finds them by id, user, token and HTTP session, and ends all at a shutdown. */
export class ChannelRegistry<Watch extends ChannelWatch = ChannelWatch> implements Channels {
  /** What watches over them. Nobody can put another in its place; it has no getter, since each message asks for it. */
  declare readonly watch: Watch;
  readonly #runtime: Runtime;
  /** Every channel of which anything still runs, connecting ones and ended ones included. */
  readonly #active = new Arrivals<Connection>();
  /** Those whose id somebody knows. */
  readonly #byId = new Map<string, Connection>();
  #size = 0;
  /** Made when somebody looks for a channel by what identifies it: many servers never do. */
  #index: ChannelIndex | undefined;
  readonly #lingering: LingeringConnects;
  #isClosing = false;
  #whenEmpty: (() => void) | undefined;

  /** @param makeWatch makes what watches over the channels; it is given this registry, and asks it nothing yet. */
  constructor(runtime: Runtime, makeWatch: (registry: ChannelRegistry) => Watch) {
    this.#runtime = runtime;
    this.#lingering = new LingeringConnects(runtime.clock, runtime.connectTimeoutMs);
    Object.defineProperty(this, 'watch', { value: makeWatch(this) });
  }

  get size(): number {
    return this.#size;
  }

  /** Whether a shutdown has begun: no channel comes any more. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  get(id: string): Connection | undefined {
    const channel = this.#byId.get(id);
    return channel?.wasLive === true ? channel : undefined; // what is gone is not there any more
  }

  countBySource(): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const { identity } of this) {
      const name = identity.source?.source ?? 'anonymous';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return Object.fromEntries(counts);
  }

  ofUser(userId: string): readonly Connection[] {
    return present(this.foundBy({ userId }));
  }

  ofToken(tokenId: TokenId): readonly Connection[] {
    return present(this.foundBy({ tokenId }));
  }

  ofHttpSession(id: string): readonly Connection[] {
    return present(this.foundBy({ httpSessionId: id }));
  }

  *[Symbol.iterator](): IterableIterator<Connection> {
    for (const channel of this.#active) if (channel.wasLive && !channel.hasEnded) yield channel;
  }

  /** A handshake has arrived. */
  arrived(channel: Connection): void {
    channelCounts.connecting += 1;
    this.#active.add(channel);
  }

  /** The channels that have one of `keys`, those included whose connection is gone and of which something still runs. */
  foundBy(keys: IdentityKeys): readonly Connection[] {
    this.#index ??= new ChannelIndex(this.#active);
    return this.#index.find(keys);
  }

  /**
   * The channels of which it is known who speaks, connecting ones included, and those that still handle what was sent before they ended.
   */
  *identifiedOnes(): IterableIterator<Connection> {
    for (const channel of this.#active) if (channel.identity.keys !== undefined && mayHandle(channel)) yield channel;
  }

  /** A look-up of `keys` is about to be sent for a channel that began to connect at `mark`. */
  claim(channel: Connection, keys: IdentityKeys, mark: number): void {
    if (!channel.isOpen) return; // nothing would take it away again
    channel.identity.claimedBy(keys);
    this.#index?.add(channel, keys);
    if (this.watch.log.mark !== mark) this.watch.claimed(channel, keys, mark);
  }

  /**
   * It is known who speaks on the channel, which began to connect at `mark`, and at `since` on the monotonic clock: that is what it is
   * found by from now on, whatever becomes of the user object.
   */
  identified(channel: Connection, mark: number, since: number): void {
    if (!channel.isOpen) return;
    this.rename(channel);
    const { identity } = channel;
    const { source, authentication } = identity;
    if (source === undefined) return; // nobody
    identity.identifiedAt = since;
    const { log, watched } = this.watch;
    if (log.mark !== mark || authentication?.expiresAt !== undefined || !watched.has(source)) this.watch.identified(channel, mark);
  }

  /** Something else identifies the channel now. */
  rename(channel: Connection): void {
    const { user, tokenId, httpSessionId } = channel.identity;
    this.#name(channel, user.isAuthenticated ? { tokenId, userId: user.id, httpSessionId } : undefined);
  }

  /** The id of a channel, which somebody knows from now on. */
  named(channel: Connection): string {
    const id = newChannelId();
    if (!channel.hasEnded) this.#byId.set(id, channel);
    return id;
  }

  /** Connect has succeeded. */
  opened(): void {
    this.#size += 1;
  }

  /** The connection is gone, or was refused. */
  closed({ wasLive }: Connection, id: string | undefined): void {
    if (wasLive) this.#size -= 1;
    if (id !== undefined) this.#byId.delete(id);
  }

  /** Nothing of the channel runs any more. */
  finished(channel: Connection): void {
    this.#name(channel, undefined);
    this.#active.delete(channel);
    if (this.#active.size === 0) this.watch.idle();
    this.#checkEmpty();
  }

  /**
   * The connect handler of a channel that has ended is still at work.
   *
   * @returns what stands for it in {@link lingersNoMore}.
   */
  lingers(): object {
    return this.#lingering.add();
  }

  /** It is done. */
  lingersNoMore(entry: object): void {
    this.#lingering.delete(entry);
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#isEmpty) this.#whenEmpty?.();
  }

  get #isEmpty(): boolean {
    return this.#active.size === 0 && this.#lingering.size === 0;
  }

  /** The channel is found by `keys` and nothing else. */
  #name(channel: Connection, keys: IdentityKeys | undefined): void {
    const { keys: former, claims } = channel.identity;
    channel.identity.namedBy(keys);
    const index = this.#index;
    if (index === undefined) return;
    if (keys !== undefined) index.add(channel, keys);
    for (const gone of [former ?? {}, ...(claims ?? [])]) index.delete(channel, gone);
  }

  /** Drops what is left of all channels, and says what that is. What then follows at once is waited for, such as a disconnect. */
  async #cutOff(timeoutMs: number): Promise<void> {
    const { reporter, handlers } = this.#runtime;
    const channels = [...this.#active];
    const lingering = Array.from({ length: this.#lingering.size }, () => 'connect' as const);
    reportUnfinished([...channels.map(({ unfinished }) => unfinished), ...lingering], timeoutMs, reporter);
    for (const channel of channels) {
      channel.endWith('ERR_SHUTDOWN'); // what hangs is told to give up, and the peer why
      channel.terminate();
    }
    handlers.abandonAll();
    for (let turn = 0; turn < lastTurns && this.#active.size > 0; turn += 1) await nextTurn();
  }

  /** Ends all channels once what they have received is handled, and those that last longer than `timeoutMs` at once. To be called once. */
  async shutDown(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    await Promise.resolve(); // whoever asked for it may finish what it is doing
    for (const channel of [...this.#active]) channel.retire();
    this.#lingering.forgetOld();
    if (!this.#isEmpty) {
      await new Promise<void>((resolve) => {
        const cancel = this.#runtime.clock.setTimer(resolve, timeoutMs);
        this.#whenEmpty = () => {
          cancel();
          resolve();
        };
      });
      if (!this.#isEmpty) await this.#cutOff(timeoutMs);
    }
    this.#runtime.sessions.close();
  }
}

completePrototype('ChannelRegistry', ChannelRegistry.prototype);

/** Those whose connection is not gone, in the order in which they came, not in that in which it was known who speaks. */
function present(channels: readonly Connection[]): readonly Connection[] {
  return channels.filter((channel) => !channel.hasEnded).sort((one, other) => one[arrival] - other[arrival]);
}
