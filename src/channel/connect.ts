import type { IncomingMessage } from 'node:http';
import { ChannelError } from '../errors.js';
import { isThrown } from '../thrown.js';
import type { ChannelHost, Transport } from './channel-host.js';
import { ChannelConnectMessage } from './channel-message.js';
import { commit } from './handle.js';
import type { LiveChannel } from './live-channel.js';
import { Preparation, type WaitsFor } from './preparation.js';

/**
 * Runs the connect of a channel: the handler, with identification and session in their place, then the answer to the handshake. Ends the
 * channel where any of it fails, or is not done by the deadline. Never rejects.
 */
export async function connect(channel: LiveChannel, transport: Transport, request: IncomingMessage): Promise<void> {
  const { host } = channel;
  const preparation = new Preparation(channel, host, request);
  channel.preparation = preparation;
  const message = new ChannelConnectMessage(channel, request);
  preparation.cancelDeadline = host.clock.setTimer(() => {
    if (!channel.isConnecting) return;
    message.seal();
    channel.fail(timeoutOf(preparation.waitsFor, host.connectTimeoutMs), message);
  }, host.connectTimeoutMs);
  try {
    await runHandler(channel, host, message, preparation);
    if (!channel.isConnecting) return;
    channel.succeeded(host.handshakeOf(request));
    if (transport.socket === undefined && !(await transport.answer((socket) => channel.answered(socket)))) {
      channel.closed(1006, '');
      return;
    }
    if (channel.isConnecting) channel.open();
  } catch (error) {
    // once it has ended, a look-up, load or save that gives up says nothing new
    if (channel.isConnecting || !isThrown(error, ChannelError)) channel.fail(error, message);
  } finally {
    message.seal();
    preparation.cancelDeadline();
    channel.preparation = undefined;
  }
}

async function runHandler(
  channel: LiveChannel,
  host: ChannelHost,
  message: ChannelConnectMessage,
  preparation: Preparation,
): Promise<void> {
  const { connect: slot, connectIdentifies } = host.plan;
  if (!connectIdentifies) await preparation.run();
  if (!channel.isConnecting) return;
  await slot?.(message);
  if (!channel.isConnecting) return;
  await preparation.run(); // where no wrapper came to it
  if (!channel.isConnecting) return;
  const saving = commit(channel, message);
  if (saving !== undefined) await preparation.saving(saving);
}

/** The error of a connect that is not done by the deadline: it depends on whom it waits for. */
function timeoutOf(waitsFor: WaitsFor, ms: number): ChannelError {
  switch (waitsFor) {
    case 'look-up':
      return new ChannelError('ERR_LOOKUP_TIMEOUT', `Looking up the user of a channel took longer than connectTimeoutMs (${ms}).`);
    case 'load':
      return new ChannelError('ERR_SESSION_LOAD_FAILED', `Loading the session of a channel took longer than connectTimeoutMs (${ms}).`);
    case 'save':
      return new ChannelError('ERR_SESSION_SAVE_FAILED', `Saving the session of a channel took longer than connectTimeoutMs (${ms}).`);
    case 'handler':
      return new ChannelError('ERR_CONNECT_TIMEOUT', `The connect handler took longer than connectTimeoutMs (${ms}).`);
  }
}
