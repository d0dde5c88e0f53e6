import type { Clock } from '../../src/contracts/clock.js';
import { withSignalAndDeadline } from '../../src/time/deadline.js';
import { systemClock } from '../../src/time/system-clock.js';
import { defaultTimeoutMs } from '../../src/time/timed-options.js';
import { isReplyOf } from './error-reply.js';
import { gatewayOf } from './gateway-of.js';
import { defaultPrefix, type RedisOptions } from './options.js';
import type { RedisClient } from './redis-client.js';
import type { RedisCommand, RedisGateway } from './redis-gateway.js';
import type { RedisScript } from './redis-script.js';
import { withoutCommand } from './without-command.js';

/**
 * So many commands may wait in the client while Redis is away: it would keep as many as it is given, and send them when nobody waits any
 * more.
 */
const maxWaiting = 1_000;
/** So many may be unanswered where it seems to be there: a line that was cut in silence takes all that it is given, for minutes. */
const maxUnanswered = 16_384;
/** The same of what is published: a revocation is short, and everybody may be logged out at once. */
const maxPublished = 65_536;

/** Runs commands of Redis under a deadline of our own: clients wait for a connection for longer than a handshake does. */
export class Operations {
  readonly gateway: RedisGateway;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly prefix: string;
  #unanswered = 0;

  /**
   * @param options which their owner has checked.
   * @throws {TypeError} when `client` is none.
   */
  constructor(owner: string, client: RedisClient, options: RedisOptions) {
    const { prefix = defaultPrefix, timeoutMs = defaultTimeoutMs, clock = systemClock } = options;
    this.gateway = gatewayOf(owner, client);
    this.prefix = prefix;
    this.timeoutMs = timeoutMs;
    this.clock = clock;
  }

  /**
   * The reply to a command; rejects with a `TimeoutError` after `timeoutMs`.
   *
   * @param what completes "Redis did not …".
   */
  command(what: string, key: string, command: RedisCommand): Promise<unknown> {
    return this.run(what, () => this.#command(key, command));
  }

  /** The reply to a script that touches one key. */
  script(what: string, key: string, { source, digest }: RedisScript, args: readonly string[]): Promise<unknown> {
    return this.run(what, async () => {
      try {
        return await this.#command(key, ['EVALSHA', digest, '1', key, ...args]);
      } catch (error) {
        if (!isReplyOf(error, 'NOSCRIPT')) throw error;
        return this.#command(key, ['EVAL', source, '1', key, ...args]);
      }
    });
  }

  /** Sends `data` to those who hear `channel`. */
  publish(what: string, channel: string, data: string): Promise<unknown> {
    return this.run(what, () => this.#send(maxPublished, () => this.gateway.publish(channel, data)));
  }

  /** Runs what takes a signal, which is aborted when time is up. */
  run<Result>(what: string, operation: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { clock, timeoutMs: ms } = this;
    const onTimeout = (): Error => new DOMException(`Redis did not ${what} within ${ms} ms.`, 'TimeoutError');
    return withSignalAndDeadline(operation, { clock, ms, onTimeout });
  }

  #command(key: string, command: RedisCommand): Promise<unknown> {
    return this.#send(maxUnanswered, () => this.gateway.command(key, command));
  }

  async #send(most: number, send: () => Promise<unknown>): Promise<unknown> {
    if (this.#unanswered >= maxWaiting && (this.#unanswered >= most || !this.gateway.isReady())) {
      throw new Error(`Redis does not answer, and ${this.#unanswered} commands wait for it already.`);
    }
    this.#unanswered += 1;
    try {
      return await send();
    } catch (error) {
      throw withoutCommand(error);
    } finally {
      this.#unanswered -= 1;
    }
  }
}

/** A reply that is text; `undefined` where it is none. Clients can be told to give bytes. */
export function textOf(reply: unknown): string | undefined {
  if (typeof reply === 'string') return reply;
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}
