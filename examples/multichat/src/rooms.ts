import { ClientError } from 'ws-with';
import type { RoomSummary } from './events.js';
import type { Member } from './member.js';

/** The rooms of this chat. The id of each is also the name of the group of those who are in it. */
export const rooms: readonly RoomSummary[] = [
  { id: 'lobby', name: 'Lobby', about: 'Say hello. Everyone starts here.', staffOnly: false },
  { id: 'kitchen', name: 'Kitchen', about: 'Recipes, leftovers and the coffee machine.', staffOnly: false },
  { id: 'workshop', name: 'Workshop', about: 'What are you building?', staffOnly: false },
  { id: 'music', name: 'Music', about: 'Now playing, and why.', staffOnly: false },
  { id: 'staff', name: 'Staff room', about: 'For members of staff.', staffOnly: true },
];

/** @throws {ClientError} `unknown_room` */
export function roomWith(id: string): RoomSummary {
  const room = rooms.find((each) => each.id === id);
  if (room === undefined) throw new ClientError('unknown_room', { room: id });
  return room;
}

/** @throws {ClientError} `unknown_room`, or `staff_only` where `member` may not be there. */
export function roomFor(member: Member, id: string): RoomSummary {
  const room = roomWith(id);
  if (!admits(room, member)) throw new ClientError('staff_only', { room: id });
  return room;
}

/** Whether `member` may be in `room`. */
export function admits(room: RoomSummary, member: Member): boolean {
  return member.staff || !room.staffOnly;
}
