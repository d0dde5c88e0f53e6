import { randomUUID } from 'node:crypto';
import type { ChatMessage, Person } from './events.js';

/** What a member does in a room. */
export interface RoomAction {
  readonly kind: 'join' | 'leave' | 'send' | 'typing';
  readonly room: string;
  readonly by: Person;
  /** What was written; of `send` alone. */
  readonly text?: string | undefined;
}

/** What a member did. */
export interface RoomEvent extends RoomAction {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What happens in the rooms, in one order for everybody, and what was written there before. */
export interface EventLog {
  /** Adds what a member does; resolves once this process was told of it, as each other one is. */
  append(action: RoomAction): Promise<void>;
  /** The newest messages of a room, oldest first. */
  latest(room: string): Promise<readonly ChatMessage[]>;
}

/** How many messages of a room are shown to somebody who comes in. */
export const messagesShown = 50;

/** A log that lasts as long as the process, and that nobody else reads. */
export class MemoryEventLog implements EventLog {
  /** Is told of everything that happens. */
  onEvent: (event: RoomEvent) => void = () => {};
  readonly #messages = new Map<string, ChatMessage[]>();

  async append(action: RoomAction): Promise<void> {
    const event = { ...action, id: randomUUID(), at: new Date().toISOString() };
    if (event.kind === 'send') {
      const messages = this.#messages.get(event.room) ?? [];
      this.#messages.set(event.room, [...messages, messageOf(event)].slice(-messagesShown));
    }
    this.onEvent(event);
  }

  async latest(room: string): Promise<readonly ChatMessage[]> {
    return this.#messages.get(room) ?? [];
  }
}

/** The message that somebody sent. */
export function messageOf({ id, room, by, text = '', at }: RoomEvent): ChatMessage {
  return { id, room, from: by, text, at };
}
