import type { ChatMessage } from './events.js';

/** Keeps what was written in the rooms. */
export interface MessageLog {
  append(message: ChatMessage): Promise<void>;
  /** The newest messages of a room, oldest first. */
  latest(room: string): Promise<readonly ChatMessage[]>;
}

/** How many messages of a room are kept. */
export const messagesKept = 50;

/** A log that lasts as long as the process. */
export class MemoryMessageLog implements MessageLog {
  readonly #messages = new Map<string, ChatMessage[]>();

  async append(message: ChatMessage): Promise<void> {
    const messages = this.#messages.get(message.room) ?? [];
    this.#messages.set(message.room, [...messages, message].slice(-messagesKept));
  }

  async latest(room: string): Promise<readonly ChatMessage[]> {
    return this.#messages.get(room) ?? [];
  }
}
