import { type Broadcaster, Groups } from 'ws-with';
import type { ChatEvent, Person, RoomNow, RoomSummary } from './events.js';
import type { MemberRepository } from './member.js';
import type { MessageLog } from './message-log.js';
import { groupOf, rooms } from './rooms.js';

/** What a {@link Chat} works with. */
export interface ChatOptions {
  readonly users: MemberRepository;
  readonly log: MessageLog;
  /** Carries what is said to the other processes; `undefined` where there are none. */
  readonly broadcaster: Broadcaster | undefined;
  /** Something that other processes said may have been missed. */
  onGap(): void;
}

/** The rooms with the people in them, on all processes. */
export class Chat {
  readonly groups: Groups;
  readonly log: MessageLog;
  readonly #users: MemberRepository;

  constructor({ users, log, broadcaster, onGap }: ChatOptions) {
    this.#users = users;
    this.log = log;
    // Who cannot be looked up now is told of with the next change, or with the next welcome.
    const onPresence = (name: string): void => void this.#tellWhoIsIn(name).catch(() => {});
    this.groups = new Groups({ broadcaster, presence: true, onPresence, onGap });
  }

  async now(room: RoomSummary): Promise<RoomNow> {
    const [people, last] = await Promise.all([this.#peopleIn(room), this.log.last(room.id)]);
    return { room: room.id, people, last };
  }

  /** Each process tells its own members: all of them hear of every change. */
  async #tellWhoIsIn(name: string): Promise<void> {
    const room = rooms.find((each) => groupOf(each) === name);
    if (room === undefined || this.groups.sizeOf(name) === 0) return;
    const event: ChatEvent = { event: 'people', room: room.id, people: await this.#peopleIn(room) };
    for (const channel of this.groups.membersOf(name)) channel.sendJson(event);
  }

  async #peopleIn(room: RoomSummary): Promise<readonly Person[]> {
    const ids = [...this.groups.presenceOf(groupOf(room)).keys()];
    return ids.length === 0 ? [] : [...(await this.#users.findByIds(ids)).values()].map(personOf);
  }
}

/** What others may know of a member. */
export function personOf({ id, name, staff }: Person): Person {
  return { id, name, staff };
}
