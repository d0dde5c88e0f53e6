import { foundOrMade } from '../found-or-made.js';
import type { ChannelMessage } from './channel-message.js';
import { notWhenEnding, whenEnding } from './when-ending.js';

/** The numbered messages that are at work on one channel session, by number. */
type Requests = Map<string, RequestUnderway>;

/**
 * A numbered message whose handler is at work, and those that wait for what comes of it: also where its channel has ended meanwhile, since
 * a client whose line broke comes back with the same number.
 */
export class RequestUnderway {
  readonly message: ChannelMessage;
  readonly #id: string;
  readonly #requests: Requests;
  #waiting: (() => void)[] | undefined;
  readonly #onGivenUp = (): void => this.end();

  constructor(message: ChannelMessage, id: string, requests: Requests) {
    this.message = message;
    this.#id = id;
    this.#requests = requests;
    whenEnding(message, this.#onGivenUp);
  }

  /** Resolves once something has come of it, or nothing will. */
  get settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  end(): void {
    this.#requests.delete(this.#id);
    notWhenEnding(this.message, this.#onGivenUp);
    for (const resolve of this.#waiting ?? []) resolve();
  }
}

/** By channel session: whatever channels of this process they came on. */
const underwayOn = new WeakMap<object, Requests>();
const noRequests = (): Requests => new Map();

/** What is at work under `id` on the session of `message`. */
export function requestUnderway(message: ChannelMessage, id: string): RequestUnderway | undefined {
  return underwayOn.get(sessionOf(message))?.get(id);
}

/** From now on the handler of `message` is at work under `id`, under which none is. */
export function beginRequest(message: ChannelMessage, id: string): void {
  const requests = foundOrMade(underwayOn, sessionOf(message), noRequests);
  requests.set(id, new RequestUnderway(message, id, requests));
}

/** The handler under `id` is done, well or not. */
export function endRequest(message: ChannelMessage, id: string): void {
  const own = requestUnderway(message, id);
  if (own?.message === message) own.end();
}

/** Channels of a process that share a record have one. */
function sessionOf(message: ChannelMessage): object {
  return message.channel.session.record?.shared ?? message.channel;
}
