import { randomUUID } from 'node:crypto';
import { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import { foundOrMade } from '../found-or-made.js';
import type { Channel } from '../messages.js';
import { type CountChange, GroupCounts, type UserCounts } from './group-counts.js';
import { ownPrefix } from './group-name.js';
import { type PresenceChange, PresenceChanges } from './presence-changes.js';
import { type PresenceMessage, partsOf, presenceMessage } from './presence-message.js';

/** The group through which nodes tell each other who is there. */
export const presenceGroup = `${ownPrefix}presence`;

/** A node says that often that it is there, and is forgotten when nothing was heard of it for so long. */
const beatMs = 5_000;
const silentMs = 20_000;
/** A timer that is so late tells that the process was busy or asleep. */
const lateMs = beatMs;
/** Changes are gathered for so long. */
const gatherMs = 50;
/** A node is asked that often at most: its answer may be under way. */
const askMs = 1_000;

/** What is known of another node. */
interface Node {
  counts: GroupCounts;
  /** What takes their place once all of it is here, which is with change number `last`. */
  coming: { readonly counts: GroupCounts; readonly last: number } | undefined;
  /** How many of its changes are known; -1 until it has told all. */
  at: number;
  heardAt: number;
  askedAt: number;
}

/** Whom presence tells, and through whom. */
export interface PresenceOwner {
  /** Sends to the other nodes; does nothing where there are none. */
  publish(group: string, data: string): void;
  /** Users came into a group or left it, on whatever node; absent where nobody wants to know. */
  readonly changed: ((name: string, change: PresenceChange) => void) | undefined;
}

/** Who is in the groups of all nodes: each tells the others of its own, and what is lost on the way is asked for. */
export class Presence {
  readonly #node = randomUUID();
  readonly #owner: PresenceOwner;
  readonly #clock: Clock;
  readonly #own = new GroupCounts();
  readonly #others = new Map<string, Node>();
  /** The user that a channel counts for, by group: who speaks on it may become known, or another, while it is there. */
  readonly #countedFor = new WeakMap<Channel, Map<string, string>>();
  readonly #changes = new PresenceChanges();
  /** Own counts that have changed since the others were told, by group and user, as they were told. */
  #changed = new Map<string, UserCounts>();
  #at = 0;
  /** Whether somebody has asked for all that there is. */
  #owesAll = false;
  #isClosed = false;
  #cancelGather: (() => void) | undefined;
  #cancelBeat!: () => void;
  #beatAt = 0;
  /** When it was last found to have been asleep: what others said meanwhile is heard only then. */
  #awakeSince = Number.NEGATIVE_INFINITY;
  #cancelWatch: (() => void) | undefined;

  constructor(owner: PresenceOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
    this.#beatLater();
  }

  /** `channel` came into a group of this node: its user has one channel more there. */
  joined(name: string, channel: Channel): void {
    const userId = userIdOf(channel);
    if (userId === undefined) return;
    foundOrMade(this.#countedFor, channel, () => new Map<string, string>()).set(name, userId);
    this.#count(name, userId, 1);
  }

  /** It has left the group. */
  left(name: string, channel: Channel): void {
    const groups = this.#countedFor.get(channel);
    const userId = groups?.get(name);
    if (userId === undefined) return;
    groups?.delete(name);
    this.#count(name, userId, -1);
  }

  #count(name: string, userId: string, change: 1 | -1): void {
    const before = this.#own.get(name, userId);
    this.#own.set(name, userId, before + change);
    const users = foundOrMade(this.#changed, name, (): UserCounts => new Map());
    if (!users.has(userId)) users.set(userId, before);
    this.#tellSoon();
  }

  /** The users of a group on all nodes, each with its number of channels. */
  of(name: string): UserCounts {
    const sum: UserCounts = new Map();
    this.#own.addTo(sum, name);
    for (const { counts } of this.#others.values()) counts.addTo(sum, name);
    return sum;
  }

  /** Something may have been missed, here or by the others, or nothing is known yet. */
  tellAndAskAll(): void {
    if (this.#isClosed) return;
    this.#say({ node: this.#node, kind: 'ask' });
    this.#tellAllSoon();
  }

  received(data: string | Uint8Array): void {
    const message = presenceMessage(data);
    if (message === undefined || message.node === this.#node || this.#isClosed) return;
    if (message.kind === 'leave') this.#forget(message.node);
    else if (message.kind === 'ask') {
      if (message.of === undefined || message.of === this.#node) this.#tellAllSoon();
      this.#known(message.node);
    } else this.#heard(message);
  }

  /** Once for all who ask meanwhile: after a gap, every node does. */
  #tellAllSoon(): void {
    this.#owesAll = true;
    this.#tellSoon();
  }

  #tellSoon(): void {
    this.#cancelGather ??= this.#clock.setTimer(() => this.#tell(), gatherMs);
  }

  #tell(): void {
    this.#cancelGather = undefined;
    this.#tellChanges();
    if (this.#owesAll) this.#tellAll();
    this.#owesAll = false;
  }

  #known(id: string): Node {
    const node = foundOrMade(this.#others, id, (): Node => {
      return { counts: new GroupCounts(), coming: undefined, at: -1, heardAt: 0, askedAt: Number.NEGATIVE_INFINITY };
    });
    node.heardAt = this.#clock.monotonic();
    this.#cancelWatch ??= this.#clock.setTimer(() => this.#watch(), silentMs);
    return node;
  }

  #heard(message: Extract<PresenceMessage, { readonly at: number }>): void {
    const node = this.#known(message.node);
    if (message.at === node.at) return;
    if (message.kind === 'alive' || (message.kind === 'change' && (message.at !== node.at + 1 || node.at < 0))) {
      this.#ask(message.node, node);
      return;
    }
    node.at = message.at;
    if (message.kind === 'all') node.coming = { counts: new GroupCounts(), last: message.last ?? message.at };
    this.#apply(node, message.counts);
  }

  #ask(id: string, node: Node): void {
    const now = this.#clock.monotonic();
    if (now - node.askedAt < askMs) return;
    node.askedAt = now;
    this.#say({ node: this.#node, kind: 'ask', of: id });
  }

  /** What comes in parts is seen when the last one is here: who is in a later part has not left. */
  #apply(node: Node, counts: readonly CountChange[]): void {
    const { counts: before, coming } = node;
    for (const [name, userId, count] of counts) (coming?.counts ?? before).set(name, userId, count);
    if (coming === undefined) this.#tellOwner(counts);
    else if (node.at >= coming.last) {
      node.counts = coming.counts;
      node.coming = undefined;
      this.#tellOwner([...before.all(), ...coming.counts.all()]);
    }
  }

  /** Tells of those of `touched` who have come or gone, all nodes together. */
  #tellOwner(touched: readonly CountChange[]): void {
    const { changed } = this.#owner;
    if (changed === undefined) return;
    const isThere = (name: string, userId: string): boolean => this.#isThere(name, userId);
    for (const [name, change] of this.#changes.among(touched, isThere)) {
      if (!this.#isClosed) changed(name, change); // whoever was told may have closed
    }
  }

  #isThere(name: string, userId: string): boolean {
    if (this.#own.get(name, userId) > 0) return true;
    for (const { counts } of this.#others.values()) if (counts.get(name, userId) > 0) return true;
    return false;
  }

  #forget(id: string): void {
    const node = this.#others.get(id);
    if (node === undefined) return;
    this.#others.delete(id);
    this.#tellOwner([...node.counts.all()]);
  }

  #tellChanges(): void {
    const touched: CountChange[] = [];
    const counts: CountChange[] = [];
    for (const [name, users] of this.#changed) {
      for (const [userId, before] of users) {
        const change: CountChange = [name, userId, this.#own.get(name, userId)];
        touched.push(change);
        if (change[2] !== before) counts.push(change); // else who left came back
      }
    }
    this.#changed = new Map();
    for (const part of partsOf(counts)) this.#say({ node: this.#node, kind: 'change', at: ++this.#at, counts: part });
    this.#tellOwner(touched);
  }

  /** In parts, of which the later ones are changes: whoever knew all of them learns nothing new. */
  #tellAll(): void {
    const [first = [], ...rest] = partsOf([...this.#own.all()]);
    this.#say({ node: this.#node, kind: 'all', at: this.#at, counts: first, last: this.#at + rest.length });
    for (const part of rest) this.#say({ node: this.#node, kind: 'change', at: ++this.#at, counts: part });
  }

  #beatLater(): void {
    this.#beatAt = this.#clock.monotonic() + beatMs;
    this.#cancelBeat = this.#clock.setTimer(() => this.#beat(), beatMs);
  }

  #noticeSleep(now: number): void {
    if (now - this.#beatAt > lateMs) this.#awakeSince = now;
  }

  #beat(): void {
    this.#noticeSleep(this.#clock.monotonic());
    this.#beatLater();
    this.#say({ node: this.#node, kind: 'alive', at: this.#at });
  }

  /** Forgets nodes that are silent for too long, and looks again when the next one may be. */
  #watch(): void {
    this.#cancelWatch = undefined;
    const now = this.#clock.monotonic();
    this.#noticeSleep(now);
    const since = now - silentMs;
    const silentSince = ({ heardAt }: Node): number => Math.max(heardAt, this.#awakeSince);
    for (const [id, node] of this.#others) if (silentSince(node) <= since) this.#forget(id);
    if (this.#others.size === 0) return;
    const longest = Math.min(...Array.from(this.#others.values(), silentSince));
    this.#cancelWatch ??= this.#clock.setTimer(() => this.#watch(), longest - since);
  }

  #say(message: PresenceMessage): void {
    this.#owner.publish(presenceGroup, JSON.stringify(message));
  }

  /** Tells the others that this node leaves; the users of others are none of its business any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelGather?.();
    this.#cancelBeat();
    this.#cancelWatch?.();
    this.#others.clear();
    this.#say({ node: this.#node, kind: 'leave' });
  }
}

/** Who speaks on a channel, whatever a handler has made of the user object since; a channel of a test says it by that. */
function userIdOf(channel: Channel): string | undefined {
  if (channel instanceof Connection) return channel.identity.keys?.userId;
  const { user } = channel;
  return user.isAuthenticated ? user.id : undefined;
}
