import type { ChannelDisconnectMessage } from './channel-message.js';
import { checkReturned, type SlotFunction } from './channel-plan.js';
import { verdictOn } from './ending.js';

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
