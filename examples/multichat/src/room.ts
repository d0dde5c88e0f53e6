import type { Channel } from 'ws-with';
import type { ChatEvent, Person, RoomSummary } from './events.js';
import type { Member } from './member.js';

interface Presence {
  readonly person: Person;
  /** Those of this process. */
  readonly channels: Set<Channel>;
  /** The other processes that the person is here through. */
  readonly elsewhere: Set<string>;
}

/** Who is in one room, and with which channels: a member with two pages is in it once. */
export class Room {
  readonly summary: RoomSummary;
  readonly #present = new Map<string, Presence>();

  constructor(summary: RoomSummary) {
    this.summary = summary;
  }

  get id(): string {
    return this.summary.id;
  }

  get people(): Person[] {
    return [...this.#present.values()].map(({ person }) => person);
  }

  /** Those who are in it through this process. */
  get here(): Person[] {
    return [...this.#present.values()].filter(({ channels }) => channels.size > 0).map(({ person }) => person);
  }

  /** Whether `member` may be here. */
  admits(member: Member): boolean {
    return member.staff || !this.summary.staffOnly;
  }

  has(channel: Channel, { id }: Person): boolean {
    return this.#present.get(id)?.channels.has(channel) ?? false;
  }

  /** Lets one channel of a person in, and tells the others if it is the person's first. */
  enter(channel: Channel, person: Person): void {
    this.#presenceOf(person).channels.add(channel);
  }

  /** Takes one channel of a person out, and tells the others if it was the person's last. */
  exit(channel: Channel, { id }: Person): void {
    if (this.#present.get(id)?.channels.delete(channel)) this.#dropIfGone(id);
  }

  /** Takes over who is here through another process. */
  setElsewhere(process: string, people: readonly Person[]): void {
    for (const person of people) this.#presenceOf(person).elsewhere.add(process);
    const ids = new Set(people.map(({ id }) => id));
    for (const [id, { elsewhere }] of this.#present) if (!ids.has(id) && elsewhere.delete(process)) this.#dropIfGone(id);
  }

  /** Sends `event` to every channel in the room, but for those of the person `except`. */
  broadcast(event: ChatEvent, except?: Person): void {
    for (const [id, { channels }] of this.#present) {
      if (id === except?.id) continue;
      for (const channel of channels) channel.sendJson(event);
    }
  }

  #presenceOf(person: Person): Presence {
    const known = this.#present.get(person.id);
    if (known !== undefined) return known;
    this.broadcast({ event: 'enter', room: this.id, user: personOf(person), at: new Date().toISOString() });
    const presence: Presence = { person: personOf(person), channels: new Set(), elsewhere: new Set() };
    this.#present.set(person.id, presence);
    return presence;
  }

  #dropIfGone(id: string): void {
    const presence = this.#present.get(id);
    if (presence === undefined || presence.channels.size > 0 || presence.elsewhere.size > 0) return;
    this.#present.delete(id);
    this.broadcast({ event: 'leave', room: this.id, user: presence.person, at: new Date().toISOString() });
  }
}

/** What others may know of a member. */
export function personOf({ id, name, staff }: Person): Person {
  return { id, name, staff };
}
