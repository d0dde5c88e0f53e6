import type { ChatMessage } from './events.js';

/** A message that has no place in its room yet. */
export type NewMessage = Omit<ChatMessage, 'number' | 'at'>;

/** Which messages of a room: the newest, or those next to a number. */
export interface HistoryRange {
  /** The newest of those with a lower number. */
  readonly before?: number | undefined;
  /** The oldest of those with a higher number. */
  readonly after?: number | undefined;
}

/** What was written in the rooms, in one order for everybody. */
export interface MessageLog {
  /** Gives a message its number, and keeps it. One that its writer has sent before is not kept again: resolves to what is kept. */
  append(message: NewMessage): Promise<ChatMessage>;
  /** The number of the newest message of a room; 0 where there is none. */
  last(room: string): Promise<number>;
  /** At most {@link messagesShown} messages, oldest first. */
  read(room: string, range: HistoryRange): Promise<readonly ChatMessage[]>;
}

/** How many messages of a room are read at once. */
export const messagesShown = 50;

const messagesKept = 1_000;

/** A log that lasts as long as the process. */
export class MemoryMessageLog implements MessageLog {
  readonly #rooms = new Map<string, ChatMessage[]>();

  async append(message: NewMessage): Promise<ChatMessage> {
    const kept = this.#rooms.get(message.room) ?? [];
    const known = kept.find(({ id, from }) => id === message.id && from.id === message.from.id);
    if (known !== undefined) return known;
    const made: ChatMessage = { ...message, number: (kept.at(-1)?.number ?? 0) + 1, at: new Date().toISOString() };
    this.#rooms.set(message.room, [...kept, made].slice(-messagesKept));
    return made;
  }

  async last(room: string): Promise<number> {
    return this.#rooms.get(room)?.at(-1)?.number ?? 0;
  }

  async read(room: string, { before = Number.POSITIVE_INFINITY, after }: HistoryRange): Promise<readonly ChatMessage[]> {
    const kept = this.#rooms.get(room) ?? [];
    if (after !== undefined) return kept.filter(({ number }) => number > after).slice(0, messagesShown);
    return kept.filter(({ number }) => number < before).slice(-messagesShown);
  }
}
