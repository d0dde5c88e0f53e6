import type { DisconnectMessage, Handshake } from '../messages.js';
import { ChannelMessage } from './channel-message.js';
import { completePrototype } from './complete-prototype.js';
import type { Connection } from './connection.js';
import { verdictOn } from './ending.js';
import type { Inbox } from './inbox.js';
import { checkReturned, type SlotFunction } from './slots.js';

/** The connection is closed. */
class ChannelDisconnectMessage extends ChannelMessage implements Pick<DisconnectMessage, 'kind' | 'code' | 'reason'> {
  readonly code: number;
  readonly reason: string;

  constructor(channel: Connection, code: number, reason: string) {
    super(channel);
    this.code = code;
    this.reason = reason;
  }

  get kind(): 'disconnect' {
    return 'disconnect';
  }

  get request(): Handshake {
    return this.channel.handshake;
  }
}

completePrototype('Message', ChannelDisconnectMessage.prototype);

/** What a channel owes whose connection is gone: it handles what was received before, then its disconnect handler runs. */
export class Disconnecting {
  readonly #channel: Connection;
  /** Set while the handler runs. */
  #goOn: (() => void) | undefined;

  constructor(channel: Connection) {
    this.#channel = channel;
  }

  /** Whether the disconnect handler runs. */
  get isHandling(): boolean {
    return this.#goOn !== undefined;
  }

  /** Never rejects. */
  async run(inbox: Inbox | undefined, closeCode: number, reason: string): Promise<void> {
    const { plan, handlers } = this.#channel.runtime;
    await inbox?.idle();
    if (plan.disconnect === undefined) return;
    const message = new ChannelDisconnectMessage(this.#channel, closeCode, reason);
    handlers.begin(message);
    const abandoned = new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    await Promise.race([runDisconnect(message), abandoned]);
    handlers.end(message);
    this.#goOn = undefined;
  }

  /** The handler is waited for no longer. */
  abandon(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}

/** Runs the disconnect handler, and saves what it changed; there is nothing left to end, so an error is only reported. Never rejects. */
async function runDisconnect(message: ChannelDisconnectMessage): Promise<void> {
  const { runtime, session } = message.channel;
  try {
    checkReturned('disconnect', await (runtime.plan.disconnect as SlotFunction)(message));
    if (message.isAbandoned) return;
    // a record of the channel's own goes now anyway
    if (!session.outlivesChannel) message.discardDraft();
    await message.commit();
  } catch (error) {
    const { isReported } = verdictOn(error, runtime.outcomes);
    if (isReported && !message.isAbandoned) runtime.reporter.error(error, message);
  } finally {
    message.seal();
  }
}
