import { Groups } from 'ws-with';
import type { Backend } from './backend.js';
import type { ChatEvent, Person, RoomNow, RoomSummary } from './events.js';
import type { MemberRepository } from './member.js';
import type { MessageLog } from './message-log.js';
import { rooms } from './rooms.js';

/** The rooms with the people in them, on all processes. */
export class Chat {
  readonly groups: Groups;
  readonly log: MessageLog;
  readonly #users: MemberRepository;
  /** Who is in the rooms as the members on this process have been told. */
  readonly #told = new Map(rooms.map(({ id }) => [id, new Set<string>()]));

  /** `onGap` is called where something that other processes said may have been missed. */
  constructor({ users, log, broadcaster }: Pick<Backend, 'users' | 'log' | 'broadcaster'>, onGap: () => void) {
    this.#users = users;
    this.log = log;
    // Who cannot be looked up now is told of with the next change, or with the next welcome.
    const onPresence = (group: string): void => void this.#tellWhoMoved(group).catch(() => {});
    this.groups = new Groups({ broadcaster, presence: true, onPresence, onGap });
  }

  async now({ id: room }: RoomSummary): Promise<RoomNow> {
    const [people, last] = await Promise.all([this.#find([...this.#idsIn(room)]), this.log.last(room)]);
    return { room, people, last };
  }

  /** Each process tells its own members, and all that has changed since it told them last. */
  async #tellWhoMoved(room: string): Promise<void> {
    const people = this.#told.get(room);
    if (people === undefined) return; // the pages of a member are a group as well
    const found = await this.#find([...this.#idsIn(room)].filter((id) => !people.has(id)));
    // Whoever has moved meanwhile is told of by a later call: nobody else speaks from here on.
    const now = new Set(this.#idsIn(room));
    const came = found.filter(({ id }) => now.has(id) && !people.has(id));
    const left = [...people].filter((id) => !now.has(id));
    for (const { id } of came) people.add(id);
    for (const id of left) people.delete(id);
    if (came.length + left.length === 0) return;
    const event = JSON.stringify({ event: 'people', room, came, left } satisfies ChatEvent);
    for (const channel of this.groups.membersOf(room)) channel.send(event);
  }

  #idsIn(room: string): Iterable<string> {
    return this.groups.presenceOf(room).keys();
  }

  async #find(ids: readonly string[]): Promise<readonly Person[]> {
    return ids.length === 0 ? [] : [...(await this.#users.findByIds(ids)).values()].map(personOf);
  }
}

/** What others may know of a member. */
export function personOf({ id, name, staff }: Person): Person {
  return { id, name, staff };
}
