import { isThenable, promiseOf } from '../maybe-promise.js';
import type { RuntimeChannel, SlotFunction } from './channel-host.js';
import type { ChannelDisconnectMessage, ChannelMessage, ChannelReceiveMessage } from './channel-message.js';
import { verdictOn } from './ending.js';

/**
 * Runs the receive handler, then saves what it changed. A promise where there is something to wait for; never throws and never rejects:
 * whatever goes wrong ends the channel.
 */
export function handleReceive(channel: RuntimeChannel, message: ChannelReceiveMessage): Promise<void> | undefined {
  try {
    const result = (channel.host.plan.receive as SlotFunction)(message);
    const pending = isThenable(result) ? promiseOf(result).then(() => commit(channel, message)) : commit(channel, message);
    return pending?.then(undefined, (error: unknown) => failed(channel, message, error));
  } catch (error) {
    failed(channel, message, error);
    return undefined;
  }
}

function failed(channel: RuntimeChannel, message: ChannelReceiveMessage, error: unknown): void {
  message.seal();
  channel.fail(error, message);
}

/** Runs the disconnect handler; there is nothing left to end, so an error is only reported. */
export async function handleDisconnect(channel: RuntimeChannel, message: ChannelDisconnectMessage): Promise<void> {
  try {
    await (channel.host.plan.disconnect as SlotFunction)(message);
    // a record of the channel's own goes now anyway
    if (channel.record?.outlivesChannel !== true) message.draft?.discard();
    await commit(channel, message);
  } catch (error) {
    const { isReported } = verdictOn(error, channel.host.outcomes);
    if (isReported) channel.host.reporter.error(error, message);
  } finally {
    message.seal();
  }
}

/** Saves what the handler of `message` changed, then does what wrappers want done; `undefined` where there is nothing to wait for. */
export function commit(channel: RuntimeChannel, message: ChannelMessage): Promise<void> | undefined {
  const { draft, successSteps } = message;
  const saving = draft === undefined ? undefined : channel.record?.commit(draft);
  message.seal();
  return successSteps === undefined ? saving : doSteps(saving, successSteps);
}

async function doSteps(saving: Promise<void> | undefined, steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  await saving;
  for (const step of steps) await step();
}
