import type { DisconnectMessage, Handshake } from '../messages.js';
import { ChannelMessage } from './channel-message.js';
import { checkReturned, type SlotFunction } from './channel-plan.js';
import { completePrototype } from './complete-prototype.js';
import type { Connection } from './connection.js';
import { verdictOn } from './ending.js';

/** The connection is closed. */
export class ChannelDisconnectMessage extends ChannelMessage implements Pick<DisconnectMessage, 'kind' | 'code' | 'reason'> {
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

/** Runs the disconnect handler, and saves what it changed; there is nothing left to end, so an error is only reported. Never rejects. */
export async function runDisconnect(message: ChannelDisconnectMessage): Promise<void> {
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
