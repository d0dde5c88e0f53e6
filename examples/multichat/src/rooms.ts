import type { Person, RoomSummary } from './events.js';

/** The rooms of this chat. The id of each is also the name of the group of those who are in it. */
export const rooms: readonly RoomSummary[] = [
  { id: 'lobby', name: 'Lobby', about: 'Say hello. Everyone starts here.', staffOnly: false },
  { id: 'kitchen', name: 'Kitchen', about: 'Recipes, leftovers and the coffee machine.', staffOnly: false },
  { id: 'workshop', name: 'Workshop', about: 'What are you building?', staffOnly: false },
  { id: 'music', name: 'Music', about: 'Now playing, and why.', staffOnly: false },
  { id: 'staff', name: 'Staff room', about: 'For members of staff.', staffOnly: true },
];

/** Those that a person may be in. */
export function roomsFor({ staff }: Person): readonly RoomSummary[] {
  return rooms.filter(({ staffOnly }) => staff || !staffOnly);
}
