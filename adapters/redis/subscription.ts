import type { ChannelConnection } from './channel-connection.js';
import type { Operations } from './operations.js';

/** How long to wait before a connection that was lost is opened again, doubled with each failure. */
const firstDelayMs = 50;
const maxDelayMs = 5_000;
/** How often the server is asked whether it is still there: a line that was cut in silence tells nothing else. */
const pingMs = 10_000;

/** Is told by a {@link RedisSubscription}. */
export interface SubscriptionListener {
  message(data: Buffer): void;
  /** It has come back: what was sent meanwhile was missed. */
  gap(): void;
  /** Nothing is heard, and an attempt to come back has failed. */
  failed?(error: unknown): void;
  /** After that: it has come back. */
  restored?(): void;
}

/** Hears one channel on a connection of its own, and comes back when that is lost, for as long as it is not closed. */
export class RedisSubscription {
  readonly #operations: Operations;
  readonly #channel: string;
  readonly #listener: SubscriptionListener;
  #connection: ChannelConnection | undefined;
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;
  /** Whether it was told that nothing is heard. */
  #hasFailed = false;

  constructor(operations: Operations, channel: string, listener: SubscriptionListener) {
    this.#operations = operations;
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Resolves once the channel is heard; rejects where it cannot be, and does not try again. */
  async open(): Promise<void> {
    let connection: ChannelConnection | undefined;
    let early: Error | undefined;
    const opened = await this.#operations.run(`let ${this.#channel} be subscribed to`, async (signal) => {
      const listener = {
        message: (data: Buffer) => this.#listener.message(data),
        ended: (error: Error) => {
          if (connection === undefined) early = error;
          else this.#ended(connection);
        },
      };
      const each = await this.#operations.gateway.listen(this.#channel, listener, signal);
      if (signal.aborted) each.close();
      return each;
    });
    if (early !== undefined) throw early;
    if (this.#isClosed) {
      opened.close();
      throw new Error('The subscription was ended.');
    }
    connection = opened;
    this.#connection = opened;
    this.#pingLater(opened);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #ended(connection: ChannelConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#beginAgain(firstDelayMs);
  }

  #beginAgain(delayMs: number): void {
    const again = async (): Promise<void> => {
      try {
        await this.open();
      } catch (error) {
        if (this.#isClosed) return;
        this.#hasFailed = true;
        this.#listener.failed?.(error);
        if (!this.#isClosed) this.#beginAgain(Math.min(2 * delayMs, maxDelayMs));
        return;
      }
      if (this.#hasFailed) this.#listener.restored?.();
      this.#hasFailed = false;
      this.#listener.gap();
    };
    this.#cancelTimer?.();
    // at a random moment of the interval, or all processes would come back at once
    this.#cancelTimer = this.#operations.clock.setTimer(() => void again(), delayMs * (0.5 + Math.random() / 2));
  }

  #pingLater(connection: ChannelConnection): void {
    const ping = async (): Promise<void> => {
      const isThere = await this.#operations
        .run('answer a ping', () => connection.ping())
        .then(
          () => true,
          () => false,
        );
      if (this.#connection !== connection) return;
      if (isThere) this.#pingLater(connection);
      else {
        connection.close();
        this.#ended(connection);
      }
    };
    this.#cancelTimer?.();
    this.#cancelTimer = this.#operations.clock.setTimer(() => void ping(), pingMs);
  }
}
