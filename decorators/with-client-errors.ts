import type { ChannelMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { ClientError } from '../src/errors.js';
import { isThrown } from '../src/thrown.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';

/** Tells the client of a `ClientError`, and drops what the handler changed in the session; any other error goes on. */
export function tellClient(error: unknown, message: ChannelMessage): undefined {
  if (!isThrown(error, ClientError)) throw error;
  message.discard();
  try {
    message.channel.sendJson({ ...error.details, error: error.code });
  } catch (cause) {
    throw new TypeError('ClientError: code and details must be what JSON can hold', { cause });
  }
  return undefined;
}

/**
 * Sends a `ClientError` that its handler throws to the client as `{ "error": code, … }`, the details beside `error`. The channel stays open, and
 * the session is left as it was. Any other error goes on. At connect, before the handshake is answered, the client would see the
 * message after the 101.
 */
export const withClientErrors: Configurable<NoOptions> = defineBuiltIn('withClientErrors', { failed: tellClient });
