import { randomUUID } from 'node:crypto';
import type { Clock } from '../contracts/clock.js';
import { type CountChange, GroupCounts, type UserCounts } from './group-counts.js';
import { ownPrefix } from './group-name.js';
import { type PresenceMessage, presenceMessage } from './presence-message.js';

/** The group through which nodes tell each other who is there. */
export const presenceGroup = `${ownPrefix}presence`;

/** A node says that often that it is there, and is forgotten when nothing was heard of it for so long. */
const beatMs = 5_000;
const silentMs = 20_000;
/** Changes are gathered for so long. */
const gatherMs = 50;
/** A node is asked that often at most: its answer may be under way. */
const askMs = 1_000;
/** So many counts fit in one message. */
const maxCounts = 2_000;

/** What is known of another node. */
interface Node {
  counts: GroupCounts;
  /** How many of its changes are known; -1 until it has told all. */
  at: number;
  heardAt: number;
  askedAt: number;
}

/** Whom presence tells, and through whom. */
export interface PresenceOwner {
  /** Sends to the other nodes; does nothing where there are none. */
  publish(group: string, data: string): void;
  /** Somebody came into these groups or left them, on whatever node. */
  changed(names: Iterable<string>): void;
}

/** Who is in the groups of all nodes: each tells the others of its own, and what is lost on the way is asked for. */
export class Presence {
  readonly #node = randomUUID();
  readonly #owner: PresenceOwner;
  readonly #clock: Clock;
  readonly #own = new GroupCounts();
  readonly #others = new Map<string, Node>();
  /** Own counts that the others have not been told, by group and user. */
  #changed = new Map<string, Set<string>>();
  #at = 0;
  #cancelGather: (() => void) | undefined;
  #cancelBeat: () => void;

  constructor(owner: PresenceOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
    this.#cancelBeat = clock.setTimer(() => this.#beat(), beatMs);
  }

  /** A user has one channel more, or less, in a group of this node. */
  count(name: string, userId: string, change: 1 | -1): void {
    this.#own.set(name, userId, this.#own.get(name, userId) + change);
    let users = this.#changed.get(name);
    if (users === undefined) {
      users = new Set();
      this.#changed.set(name, users);
    }
    users.add(userId);
    this.#cancelGather ??= this.#clock.setTimer(() => this.#tellChanges(), gatherMs);
  }

  /** The users of a group on all nodes, each with its number of channels. */
  of(name: string): UserCounts {
    const sum: UserCounts = new Map();
    this.#own.addTo(sum, name);
    const since = this.#clock.monotonic() - silentMs;
    for (const { counts, heardAt } of this.#others.values()) {
      if (heardAt > since) counts.addTo(sum, name);
    }
    return sum;
  }

  /** Something may have been missed, here or by the others, or nothing is known yet. */
  tellAndAskAll(): void {
    this.#say({ node: this.#node, kind: 'ask' });
    this.#tellAll();
  }

  received(data: string | Uint8Array): void {
    const message = presenceMessage(data);
    if (message === undefined || message.node === this.#node) return;
    if (message.kind === 'leave') this.#forget(message.node);
    else if (message.kind === 'ask') {
      if (message.of === undefined || message.of === this.#node) this.#tellAll();
      this.#known(message.node);
    } else this.#heard(message);
  }

  #known(id: string): Node {
    let node = this.#others.get(id);
    if (node === undefined) {
      node = { counts: new GroupCounts(), at: -1, heardAt: 0, askedAt: Number.NEGATIVE_INFINITY };
      this.#others.set(id, node);
    }
    node.heardAt = this.#clock.monotonic();
    return node;
  }

  #heard(message: Extract<PresenceMessage, { readonly at: number }>): void {
    const node = this.#known(message.node);
    if (message.at === node.at) return;
    if (message.kind === 'all') {
      const names = new Set(node.counts.names());
      node.counts = new GroupCounts();
      this.#apply(node, message, names);
    } else if (message.kind === 'change' && message.at === node.at + 1 && node.at >= 0) this.#apply(node, message, new Set());
    else this.#ask(message.node, node);
  }

  #ask(id: string, node: Node): void {
    const now = this.#clock.monotonic();
    if (now - node.askedAt < askMs) return;
    node.askedAt = now;
    this.#say({ node: this.#node, kind: 'ask', of: id });
  }

  #apply(node: Node, { at, counts }: { readonly at: number; readonly counts: readonly CountChange[] }, changed: Set<string>): void {
    node.at = at;
    for (const [name, userId, count] of counts) {
      if (node.counts.set(name, userId, count) !== count) changed.add(name);
    }
    if (changed.size > 0) this.#owner.changed(changed);
  }

  #forget(id: string): void {
    const node = this.#others.get(id);
    if (node === undefined) return;
    this.#others.delete(id);
    this.#owner.changed([...node.counts.names()]);
  }

  #tellChanges(): void {
    this.#cancelGather = undefined;
    const changed = this.#changed;
    this.#changed = new Map();
    const counts: CountChange[] = [];
    for (const [name, users] of changed) {
      for (const userId of users) counts.push([name, userId, this.#own.get(name, userId)]);
    }
    for (const part of partsOf(counts)) this.#say({ node: this.#node, kind: 'change', at: ++this.#at, counts: part });
    this.#owner.changed(changed.keys());
  }

  /** In parts, of which the later ones are changes: whoever knew all of them learns nothing new. */
  #tellAll(): void {
    this.#cancelGather?.();
    if (this.#changed.size > 0) this.#tellChanges();
    this.#cancelGather = undefined;
    const [first = [], ...rest] = partsOf([...this.#own.all()]);
    this.#say({ node: this.#node, kind: 'all', at: this.#at, counts: first });
    for (const part of rest) this.#say({ node: this.#node, kind: 'change', at: ++this.#at, counts: part });
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.setTimer(() => this.#beat(), beatMs);
    this.#say({ node: this.#node, kind: 'alive', at: this.#at });
    const since = this.#clock.monotonic() - silentMs;
    for (const [id, { heardAt }] of this.#others) if (heardAt <= since) this.#forget(id);
  }

  #say(message: PresenceMessage): void {
    this.#owner.publish(presenceGroup, JSON.stringify(message));
  }

  /** Tells the others that this node leaves. */
  close(): void {
    this.#cancelGather?.();
    this.#cancelBeat();
    this.#say({ node: this.#node, kind: 'leave' });
  }
}

function partsOf(counts: readonly CountChange[]): (readonly CountChange[])[] {
  const parts: (readonly CountChange[])[] = [];
  for (let start = 0; start < counts.length; start += maxCounts) parts.push(counts.slice(start, start + maxCounts));
  return parts;
}
