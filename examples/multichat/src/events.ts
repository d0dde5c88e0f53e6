import type { HistoryRange } from './message-log.js';

/** What the page may know of a member. */
export interface Person {
  readonly id: string;
  /** The name to log in with and to be seen by. */
  readonly name: string;
  /** Whether staff-only rooms are open to this person. */
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
  /** Made by the page that sends it: what one member sends twice under one id is there once. */
  readonly id: string;
  readonly room: string;
  /** 1, 2, 3, … in each room, without a hole: pages know from it what they miss, and what comes before what. */
  readonly number: number;
  readonly from: Person;
  readonly text: string;
  /** When it was written: ISO 8601, UTC. */
  readonly at: string;
}

/** A room as it is now. */
export interface RoomNow {
  readonly room: string;
  readonly people: readonly Person[];
  /** Number of the newest message; 0 where there is none. */
  readonly last: number;
}

/** When the log says who comes and goes. */
export interface NoticeOptions {
  /** In rooms with at most so many people. */
  readonly upTo: number;
  /** After so many milliseconds: who is back by then has not been away. */
  readonly graceMs: number;
}

/**
 * Everything that the server sends of its own accord; what a client did wrong comes as `{ error, … }` instead, and what it numbered is
 * answered.
 */
export type ChatEvent =
  /** First of all, and after each `sync`: who you are, how you are connected, which rooms there are, and which of them you are in. */
  | {
      readonly event: 'welcome';
      readonly you: Person;
      /** What you were recognized by, until when if that is known (ISO 8601, UTC), and the process at the other end. */
      readonly connection: { readonly by: string | undefined; readonly until: string | undefined; readonly node: string };
      readonly rooms: readonly RoomSummary[];
      readonly joined: readonly RoomNow[];
      readonly notices: NoticeOptions;
    }
  /** This page is in a room now. */
  | ({ readonly event: 'joined' } & RoomNow)
  /** It is out of it. */
  | { readonly event: 'left'; readonly room: string }
  /** Another of your pages came into a room or left it: do so too, with `follows`. */
  | { readonly event: 'moved'; readonly room: string; readonly isIn: boolean }
  /** Who came into a room, and the ids of those who left it, on whatever process; it may say what is known already. */
  | { readonly event: 'people'; readonly room: string; readonly came: readonly Person[]; readonly left: readonly string[] }
  /** Messages of a room, oldest first; the answer to `history`. */
  | ({ readonly event: 'history'; readonly room: string; readonly messages: readonly ChatMessage[] } & HistoryRange)
  /** Somebody is writing. */
  | { readonly event: 'typing'; readonly room: string; readonly user: Person }
  /** Somebody wrote; the writer gets it too. */
  | ({ readonly event: 'message' } & ChatMessage)
  /** Something may have been missed: ask with `sync`. */
  | { readonly event: 'gap' };
