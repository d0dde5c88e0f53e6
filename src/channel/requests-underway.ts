import type { ChannelMessage } from './channel-message.js';
import { notWhenEnding, whenEnding } from './when-ending.js';

/** A numbered message whose handler is at work, and those that wait for what comes of it. */
export class RequestUnderway {
  #waiting: (() => void)[] | undefined;
  readonly #onEnding = (): void => this.end();
  readonly message: ChannelMessage;

  constructor(message: ChannelMessage) {
    this.message = message;
  }

  /** Something has come of it, or its channel ends, with which it may not. */
  get isOver(): Promise<void> {
    return new Promise((resolve) => {
      const { channel } = this.message;
      if (!channel.isOpen) return resolve();
      this.#waiting ??= [];
      this.#waiting.push(resolve);
      whenEnding(channel, this.#onEnding);
    });
  }

  end(): void {
    for (const resolve of this.#waiting ?? []) resolve();
    this.#waiting = undefined;
    notWhenEnding(this.message.channel, this.#onEnding);
  }
}

/** The numbered messages that are at work on one channel session, by number: whatever channels of this process they came on. */
const underwayOn = new WeakMap<object, Map<string, RequestUnderway>>();

/** What is at work under `id` on the session of `message`. */
export function requestUnderway(message: ChannelMessage, id: string): RequestUnderway | undefined {
  const underway = underwayOn.get(sessionOf(message))?.get(id);
  return underway?.message.channel.isOpen === true ? underway : undefined;
}

/** From now on the handler of `message` is at work under `id`. */
export function beginRequest(message: ChannelMessage, id: string): void {
  const session = sessionOf(message);
  let underway = underwayOn.get(session);
  if (underway === undefined) {
    underway = new Map();
    underwayOn.set(session, underway);
  }
  underway.set(id, new RequestUnderway(message));
}

/** The handler under `id` is done, well or not. */
export function endRequest(message: ChannelMessage, id: string): void {
  const underway = underwayOn.get(sessionOf(message));
  const own = underway?.get(id);
  if (own?.message !== message) return;
  underway?.delete(id);
  own.end();
}

/** Channels of a process that share a record have one. */
function sessionOf(message: ChannelMessage): object {
  return message.channel.session.record?.shared ?? message.channel;
}
