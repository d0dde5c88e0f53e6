import { Connection } from '../channel/connection.js';
import { bytesOf } from '../channel/frame-format.js';
import { SharedFrame } from '../channel/shared-frame.js';
import { checkData, jsonOf, type MessageData } from '../check-data.js';
import { aClock, aFlag, aFunction, checkedOptions, havingNotAsClient, type Rule, type Rules } from '../checked-options.js';
import type { Broadcaster } from '../contracts/broadcaster.js';
import type { Clock } from '../contracts/clock.js';
import { type InjectionToken, injectionToken } from '../injection.js';
import { kindOf } from '../kind-of.js';
import { nothing, whenDone } from '../maybe-promise.js';
import type { Channel } from '../messages.js';
import { Reporter, type ReporterOptions } from '../reporter.js';
import { guardedClock } from '../time/guarded-clock.js';
import { systemClock } from '../time/system-clock.js';
import { Broadcasting } from './broadcasting.js';
import { checkGroupName } from './group-name.js';
import { Memberships } from './memberships.js';
import { Presence, presenceGroup } from './presence.js';
import type { PresenceChange } from './presence-changes.js';

/** Options of {@link Groups}. */
export interface GroupsOptions extends ReporterOptions {
  /** Carries messages between processes. @default none: groups belong to this process only */
  readonly broadcaster?: Broadcaster | undefined;
  /**
   * Whether {@link Groups.presenceOf} knows the users of all nodes. Nodes then tell each other what changes, and every 5 s that they are
   * there.
   *
   * @default false
   */
  readonly presence?: boolean | undefined;
  /**
   * Called when messages of other processes may have been missed: an application that keeps a history loads it again. What it throws or
   * rejects with goes to `onError`.
   *
   * @default none
   */
  readonly onGap?: (() => unknown) | undefined;
  /**
   * Called when users came into a group or left it, on whatever node: a user comes with the first channel, and leaves with the last. Each
   * call tells what has changed since the one before. Needs `presence`. What it throws or rejects with goes to `onError`.
   *
   * @default none
   */
  readonly onPresence?: ((name: string, change: PresenceChange) => unknown) | undefined;
  /** The time that presence goes by. @default the machine's clock */
  readonly clock?: Clock | undefined;
}

/** Options of one message to a group. */
export interface GroupSendOptions {
  /** Channels that do not get it, such as the one that it came from. @default everybody gets it */
  readonly except?: Channel | Iterable<Channel> | undefined;
}

const aChannelOrSeveral: Rule = {
  must: 'a channel, or several of them',
  accepts: (value) => isChannel(value) || typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function',
};
const sendRules: Rules<GroupSendOptions> = { except: aChannelOrSeveral };
const rules: Rules<GroupsOptions> = {
  broadcaster: havingNotAsClient('a Broadcaster', 'new RedisBroadcaster(client)', 'publish', 'subscribe'),
  presence: aFlag,
  onGap: aFunction,
  onPresence: aFunction,
  onError: aFunction,
  onWarning: aFunction,
  clock: aClock,
};

/**
 * Sockets have a `send` too: one would never leave its groups, nor be excepted. It is told by the number of its state: a mock has every
 * member.
 */
function isChannel(value: unknown): value is Channel {
  const { send, readyState } = (value ?? {}) as { readonly send?: unknown; readonly readyState?: unknown };
  return typeof send === 'function' && typeof readyState !== 'number';
}

/**
 * Channels by name: what is sent to a group reaches each member once. A channel may be in any number of groups, and leaves all when it
 * begins to end. A group exists while it has members (Channels 1.1.8: `channels/channel.py`, `Group`).
 *
 * Members of this process get a message at once. Members of other processes get it through the `broadcaster`: at most once, and in order
 * for each sender and group.
 */
export class Groups implements AsyncDisposable {
  readonly #memberships: Memberships;
  readonly #broadcasting: Broadcasting | undefined;
  readonly #presence: Presence | undefined;
  readonly #reporter: Reporter;
  readonly #onGap: (() => unknown) | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {TypeError} when an option is not what it must be. */
  constructor(options: GroupsOptions = {}) {
    const { broadcaster, presence = false, onGap, onPresence, clock: given = systemClock } = checkedOptions('Groups', options, rules);
    if (onPresence !== undefined && !presence) throw new TypeError('Groups: onPresence needs presence: true');
    const clock = guardedClock(given, (error) => this.#reporter.error(error));
    this.#reporter = new Reporter(options, clock);
    this.#onGap = onGap;
    this.#presence = presence
      ? new Presence(
          {
            publish: (group, data) => this.#broadcasting?.publish(group, data),
            changed: onPresence && ((name, change) => this.#call(() => onPresence(name, change))),
          },
          clock,
        )
      : undefined;
    this.#memberships = new Memberships(this.#presence);
    if (broadcaster === undefined) return;
    const listener = { received: (group: string, data: string | Uint8Array) => this.#received(group, data), gap: () => this.#gap() };
    this.#broadcasting = new Broadcasting(broadcaster, listener, this.#reporter, clock);
    void this.#broadcasting.ready.then(() => this.#presence?.tellAndAskAll());
  }

  /** Resolves once this process hears what other processes send; at once if there is no broadcaster. Never rejects. */
  get ready(): Promise<void> {
    return this.#broadcasting?.ready ?? Promise.resolve();
  }

  /**
   * Puts `channel` into the group `name`. Adding it twice changes nothing. You may add a channel while it is connecting; it gets what is
   * sent meanwhile after its handshake.
   *
   * @param name well-formed Unicode of 1 to 512 bytes of UTF-8 that does not begin with U+0000.
   * @returns whether it is in the group now: `false` if it is ending or has ended, or the groups are closed.
   * @throws {TypeError} when `name` cannot name a group, or `channel` is not a channel.
   */
  add(name: string, channel: Channel): boolean {
    checkGroupName('Groups.add', name);
    checkChannel('Groups.add', channel);
    return this.#closing === undefined && this.#memberships.add(name, channel);
  }

  /**
   * Takes `channel` out of the group `name`.
   *
   * @returns whether it was in it.
   * @throws {TypeError} as {@link add}.
   */
  discard(name: string, channel: Channel): boolean {
    checkGroupName('Groups.discard', name);
    checkChannel('Groups.discard', channel);
    return this.#memberships.discard(name, channel);
  }

  /**
   * Sends `data` to all members of the group, on every node: text frames for a string, binary ones for bytes.
   *
   * @returns how many members of this process took it.
   * @throws {TypeError} when `name` cannot name a group, `data` is neither a string nor bytes, or `except` is not a channel.
   */
  send(name: string, data: string | ArrayBuffer | ArrayBufferView, options?: GroupSendOptions): number {
    checkGroupName('Groups.send', name);
    checkData('Groups.send', data);
    return this.#send('Groups.send', name, data, options);
  }

  /**
   * Sends `value` as JSON to all members of the group, on every node.
   *
   * @returns as {@link send}.
   * @throws {TypeError} as {@link send}, and when JSON cannot hold `value`.
   */
  sendJson(name: string, value: unknown, options?: GroupSendOptions): number {
    checkGroupName('Groups.sendJson', name);
    return this.#send('Groups.sendJson', name, jsonOf('Groups.sendJson', value), options);
  }

  #send(owner: string, name: string, data: MessageData, options: GroupSendOptions | undefined): number {
    const except = options === undefined ? undefined : exceptions(owner, options);
    this.#broadcasting?.publish(name, typeof data === 'string' ? data : bytesOf(data));
    return this.#deliver(name, data, except);
  }

  #deliver(name: string, data: MessageData, except: Channel | ReadonlySet<Channel> | undefined): number {
    const members = this.#memberships.membersOf(name);
    if (members.size === 0) return 0; // most groups of other processes have none here
    let taken = 0;
    const frame = new SharedFrame(data);
    // copied, as who is sent to may leave and come back meanwhile
    for (const member of [...members]) {
      if (except !== undefined && (member === except || (except instanceof Set && except.has(member)))) continue;
      if (this.#sendTo(member, frame)) taken += 1;
    }
    return taken;
  }

  /** A member that fails, as one of a test may, keeps no other from it. */
  #sendTo(member: Channel, frame: SharedFrame): boolean {
    try {
      return member instanceof Connection ? member.sendFrame(frame.data, frame) : member.send(frame.data);
    } catch (error) {
      this.#reporter.error(error);
      return false;
    }
  }

  /**
   * The members of the group in this process, in the order in which they came.
   *
   * @throws {TypeError} when `name` cannot name a group.
   */
  membersOf(name: string): readonly Channel[] {
    checkGroupName('Groups.membersOf', name);
    return [...this.#memberships.membersOf(name)];
  }

  /**
   * How many members of the group there are in this process.
   *
   * @throws {TypeError} when `name` cannot name a group.
   */
  sizeOf(name: string): number {
    checkGroupName('Groups.sizeOf', name);
    return this.#memberships.membersOf(name).size;
  }

  /**
   * The groups that `channel` is in, in the order in which it came into them.
   *
   * @throws {TypeError} when `channel` is not a channel.
   */
  groupsOf(channel: Channel): readonly string[] {
    checkChannel('Groups.groupsOf', channel);
    return [...this.#memberships.groupsOf(channel)];
  }

  /**
   * The users of the group on all nodes, by id, each with the number of its channels. Anonymous members are not among them. A change on
   * another node is known a moment later; a node that died is forgotten after 20 s.
   *
   * @throws {TypeError} when `name` cannot name a group, or without the option `presence`.
   */
  presenceOf(name: string): ReadonlyMap<string, number> {
    checkGroupName('Groups.presenceOf', name);
    if (this.#presence === undefined) throw new TypeError('Groups.presenceOf needs the option presence: true');
    return this.#presence.of(name);
  }

  #received(group: string, data: string | Uint8Array): void {
    checkData('Groups: what the broadcaster brings', data);
    if (group === presenceGroup) this.#presence?.received(data);
    else this.#deliver(group, data, undefined);
  }

  #gap(): void {
    this.#presence?.tellAndAskAll();
    if (this.#onGap !== undefined) this.#call(this.#onGap);
  }

  #call(run: () => unknown): void {
    const failed = (error: unknown): void => this.#reporter.error(error);
    try {
      whenDone(run(), nothing, failed);
    } catch (error) {
      failed(error);
    }
  }

  /**
   * Takes all channels out of all groups, accepts no more, and tells the other nodes. Resolves once what was sent has left. It closes no
   * channel.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#memberships.clear();
    this.#presence?.close();
    await this.#broadcasting?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Where {@link Groups} are registered. */
export const GROUPS: InjectionToken<Groups> = injectionToken('GROUPS');

function checkChannel(owner: string, channel: unknown): asserts channel is Channel {
  if (!isChannel(channel)) throw new TypeError(`${owner}: channel must be a channel, got ${kindOf(channel)}`);
}

/** @throws {TypeError} when `except` is neither a channel nor several. */
function exceptions(owner: string, options: GroupSendOptions): Channel | ReadonlySet<Channel> | undefined {
  const { except } = checkedOptions(owner, options, sendRules);
  if (except === undefined || isChannel(except)) return except;
  const channels = new Set(except);
  for (const channel of channels) checkChannel(`${owner}: except`, channel);
  return channels;
}
