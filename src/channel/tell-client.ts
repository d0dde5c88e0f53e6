import { aName, checkOption } from '../checked-options.js';
import { ClientError } from '../errors.js';
import { isThrown } from '../thrown.js';
import type { ChannelMessage } from './channel-message.js';
import { endRequest } from './requests-underway.js';

/** Tells the client of a `ClientError`, and drops what the handler changed in the session; any other error goes on. */
export function tellClient(error: unknown, message: ChannelMessage): undefined {
  if (!isThrown(error, ClientError)) throw error;
  message.discard();
  const requestId = message.hasRequestId ? message.requestId : undefined;
  message.clientIsTold();
  if (requestId !== undefined) endRequest(message, requestId);
  try {
    const { code, details } = error;
    checkOption('ClientError', 'code', code, aName); // a field that a subclass declares anew is undefined
    message.channel.sendJson({ ...details, ...(requestId !== undefined && { requestId }), error: code });
  } catch (cause) {
    throw new TypeError('ClientError: code must be a non-empty string, and details what JSON can hold', { cause });
  }
  return undefined;
}
