import { type Channel, ClientError } from 'ws-with';
import { messageOf, type RoomEvent } from './event-log.js';
import type { Person, RoomPeople, RoomSummary } from './events.js';
import type { Member } from './member.js';
import { Room } from './room.js';

/** The rooms of this chat. */
export const roomSummaries: readonly RoomSummary[] = [
  { id: 'lobby', name: 'Lobby', about: 'Say hello. Everyone starts here.', staffOnly: false },
  { id: 'kitchen', name: 'Kitchen', about: 'Recipes, leftovers and the coffee machine.', staffOnly: false },
  { id: 'workshop', name: 'Workshop', about: 'What are you building?', staffOnly: false },
  { id: 'music', name: 'Music', about: 'Now playing, and why.', staffOnly: false },
  { id: 'staff', name: 'Staff room', about: 'For members of staff.', staffOnly: true },
];

/** All rooms, and the channels that are online. */
export class Rooms {
  readonly #rooms: ReadonlyMap<string, Room>;
  readonly #online = new Map<string, Set<Channel>>();
  /** Is called when somebody of this process came into a room or left one. */
  onMove: () => void = () => {};

  constructor(summaries: readonly RoomSummary[] = roomSummaries) {
    this.#rooms = new Map(summaries.map((summary) => [summary.id, new Room(summary)]));
  }

  get summaries(): RoomSummary[] {
    return [...this.#rooms.values()].map((room) => room.summary);
  }

  /** @throws {ClientError} `unknown_room`. */
  get(id: string): Room {
    const room = this.#rooms.get(id);
    if (room === undefined) throw new ClientError('unknown_room', { room: id });
    return room;
  }

  /** A channel has come: it is let into those of the rooms `ids` that its member may enter, which are returned. */
  arrive(channel: Channel, member: Member, ids: readonly string[]): Room[] {
    const channels = this.#online.get(member.id) ?? new Set();
    this.#online.set(member.id, channels.add(channel));
    const rooms = ids.map((id) => this.#rooms.get(id)).filter((room) => room?.admits(member) === true) as Room[];
    for (const room of rooms) room.enter(channel, member);
    this.onMove();
    return rooms;
  }

  /** A channel has gone, and leaves every room that it is in. */
  depart(channel: Channel, member: Member): void {
    const channels = this.#online.get(member.id);
    channels?.delete(channel);
    if (channels?.size === 0) this.#online.delete(member.id);
    for (const room of this.#rooms.values()) room.exit(channel, member);
    this.onMove();
  }

  /** Does what follows from what somebody did, on whatever process: all pages of a member are in the same rooms. */
  happened(event: RoomEvent): void {
    const { kind, by } = event;
    const room = this.#rooms.get(event.room);
    if (room === undefined) return;
    if (kind === 'send') room.broadcast({ event: 'message', ...messageOf(event) });
    else if (kind === 'typing') room.broadcast({ event: 'typing', room: room.id, user: by }, by);
    else {
      const channels = [...(this.#online.get(by.id) ?? [])];
      if (kind === 'join') for (const channel of channels) room.enter(channel, by);
      for (const channel of channels) {
        if (kind === 'leave') room.exit(channel, by);
        channel.sendJson(kind === 'join' ? { event: 'joined', ...peopleOf(room) } : { event: 'left', room: room.id });
      }
      this.onMove();
    }
  }

  /** Who is in which rooms through this process. */
  here(): RoomPeople[] {
    return [...this.#rooms.values()].map((room) => ({ room: room.id, people: room.here })).filter(({ people }) => people.length > 0);
  }

  /** Takes over who is in which rooms through another process. */
  setElsewhere(process: string, rooms: readonly RoomPeople[]): void {
    const people = new Map<string, readonly Person[]>(rooms.map((room) => [room.room, room.people]));
    for (const room of this.#rooms.values()) room.setElsewhere(process, people.get(room.id) ?? []);
  }
}

/** Who is in `room`, as pages are told. */
export function peopleOf(room: Room): RoomPeople {
  return { room: room.id, people: room.people };
}
