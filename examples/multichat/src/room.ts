import type { Channel } from 'ws-with';
import type { ChatEvent, Person, RoomSummary } from './events.js';
import type { Member } from './member.js';

interface Presence {
  readonly member: Member;
  readonly channels: Set<Channel>;
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
    return [...this.#present.values()].map(({ member }) => personOf(member));
  }

  /** Whether `member` may be here. */
  admits(member: Member): boolean {
    return member.staff || !this.summary.staffOnly;
  }

  has(channel: Channel, member: Member): boolean {
    return this.#present.get(member.id)?.channels.has(channel) ?? false;
  }

  /** Lets one channel of a member in, and tells the others if it is the member's first. */
  enter(channel: Channel, member: Member): void {
    const presence = this.#present.get(member.id);
    if (presence !== undefined) {
      presence.channels.add(channel);
      return;
    }
    this.broadcast({ event: 'enter', room: this.id, user: personOf(member), at: new Date().toISOString() });
    this.#present.set(member.id, { member, channels: new Set([channel]) });
  }

  /** Takes one channel of a member out, and tells the others if it was the member's last. */
  exit(channel: Channel, member: Member): void {
    const presence = this.#present.get(member.id);
    if (presence === undefined || !presence.channels.delete(channel) || presence.channels.size > 0) return;
    this.#present.delete(member.id);
    this.broadcast({ event: 'leave', room: this.id, user: personOf(member), at: new Date().toISOString() });
  }

  /** Sends `event` to every channel in the room, but for those of the member `except`. */
  broadcast(event: ChatEvent, except?: Member): void {
    for (const [id, { channels }] of this.#present) {
      if (id === except?.id) continue;
      for (const channel of channels) channel.sendJson(event);
    }
  }
}

/** What others may know of `member`. */
export function personOf({ id, name, staff }: Member): Person {
  return { id, name, staff };
}
