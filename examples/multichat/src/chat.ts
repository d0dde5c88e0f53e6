import { Groups, type PresenceChange } from 'ws-with';
import type { Backend } from './backend.js';
import type { ChatEvent, Person, RoomNow } from './events.js';
import type { MemberRepository } from './member.js';
import type { MessageLog } from './message-log.js';
import { rooms } from './rooms.js';

/** The rooms with the people in them, on all processes. */
export class Chat {
  readonly groups: Groups;
  readonly log: MessageLog;
  readonly #users: MemberRepository;

  /** `onGap` is called where something that other processes said may have been missed. */
  constructor({ users, log, broadcaster }: Pick<Backend, 'users' | 'log' | 'broadcaster'>, onGap: () => void) {
    this.#users = users;
    this.log = log;
    const onPresence = (room: string, change: PresenceChange): Promise<void> =>
      this.#tellWhoMoved(room, change).catch(() => this.#tellHere(room, { event: 'gap' }));
    this.groups = new Groups({ broadcaster, presence: true, onPresence, onGap });
  }

  async now(room: string): Promise<RoomNow> {
    const [people, last] = await Promise.all([this.#find(room, this.groups.presenceOf(room).keys()), this.log.last(room)]);
    return { room, people, last };
  }

  /** Each process tells its own members. */
  async #tellWhoMoved(room: string, { came, left }: PresenceChange): Promise<void> {
    if (!rooms.some(({ id }) => id === room)) return; // the pages of a member are a group as well
    const found = await this.#find(room, came);
    const isBack = (id: string): boolean => this.groups.presenceOf(room).has(id);
    this.#tellHere(room, { event: 'people', room, came: found, left: left.filter((id) => !isBack(id)) });
  }

  #tellHere(room: string, event: ChatEvent): void {
    const text = JSON.stringify(event);
    for (const channel of this.groups.membersOf(room)) channel.send(text);
  }

  /** Those of `ids` who are still in the room once they are found. Whoever moves meanwhile is told of by another call. */
  async #find(room: string, ids: Iterable<string>): Promise<readonly Person[]> {
    const found = await this.#users.findByIds([...ids]);
    const now = this.groups.presenceOf(room);
    return [...found.values()].filter(({ id }) => now.has(id)).map(personOf);
  }
}

/** What others may know of a member. */
export function personOf({ id, name, staff }: Person): Person {
  return { id, name, staff };
}
