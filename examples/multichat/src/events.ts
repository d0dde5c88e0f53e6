/** What the page may know of a member. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly staff: boolean;
}

/** A room as the page lists it. */
export interface RoomSummary {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly staffOnly: boolean;
}

/** A message that somebody wrote in a room. */
export interface ChatMessage {
  /** Unique, so that a page can tell what it has from what it gets again. */
  readonly id: string;
  readonly room: string;
  readonly from: Person;
  readonly text: string;
  /** When it was written: ISO 8601, UTC. */
  readonly at: string;
}

/** Everything that the server sends of its own accord; what a client did wrong comes as `{ error, … }` instead. */
export type ChatEvent =
  /** First of all: who you are, which rooms there are, and which of them you are in. */
  | { readonly event: 'welcome'; readonly you: Person; readonly rooms: readonly RoomSummary[]; readonly joined: readonly RoomPeople[] }
  /** You are in a room now, on all of your pages. */
  | ({ readonly event: 'joined' } & RoomPeople)
  /** You are out of it. */
  | { readonly event: 'left'; readonly room: string }
  /** The newest messages of a room, oldest first; the answer to `history`. */
  | { readonly event: 'history'; readonly room: string; readonly messages: readonly ChatMessage[] }
  /** Somebody else came in, or went with the last of their pages. */
  | { readonly event: 'enter' | 'leave'; readonly room: string; readonly user: Person; readonly at: string }
  /** Somebody else is writing. */
  | { readonly event: 'typing'; readonly room: string; readonly user: Person }
  /** Somebody wrote; the writer gets it too. */
  | ({ readonly event: 'message' } & ChatMessage);

/** Who is in a room. */
export interface RoomPeople {
  readonly room: string;
  readonly people: readonly Person[];
}
