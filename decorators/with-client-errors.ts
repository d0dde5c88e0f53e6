import type { ChannelMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { ClientError } from '../src/errors.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';

/** Tells the client of a `ClientError`, and drops what the handler changed in the session; any other error goes on. */
export function tellClient(error: unknown, message: ChannelMessage): undefined {
  if (!(error instanceof ClientError)) throw error;
  message.discard();
  message.channel.sendJson({ ...error.details, error: error.code });
  return undefined;
}

/**
 * Sends a `ClientError` that its handler throws to the client as `{ "error": code, … }`, the details beside `error`. The channel stays open, and
 * the session is left as it was. Any other error goes on. At connect, before the handshake is answered, the client would see the
 * message after the 101.
 */
export const withClientErrors: Configurable<NoOptions> = defineBuiltIn('withClientErrors', { failed: tellClient });
