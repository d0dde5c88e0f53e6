import { type ChannelMessage, channelMessage } from '../src/channel/channel-message.js';
import { ClientError } from '../src/errors.js';
import { isThenable, promiseOf } from '../src/maybe-promise.js';
import { type AnyHandler, callShapes, named } from '../src/wrapping/call-shapes.js';
import { carryRequirements, requirementsOf } from '../src/wrapping/requirements.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';
import { checkNoOptions } from './no-options.js';

/** Tells the client of a `ClientError`, and drops what the handler changed in the session; any other error goes on. */
function tellClient(message: ChannelMessage, error: unknown): undefined {
  if (!(error instanceof ClientError)) throw error;
  message.discard();
  message.channel.sendJson({ ...error.details, error: error.code });
  return undefined;
}

/** `handler`, whose `ClientError`s are told to the client. Synchronous where the handler is. */
export function catchClientErrors(wrapper: string, handler: AnyHandler): AnyHandler {
  const wrapped = function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(wrapper, message);
    try {
      const result = handler.call(this, message, ...rest);
      return isThenable(result) ? promiseOf(result).then(undefined, (error: unknown) => tellClient(known, error)) : result;
    } catch (error) {
      return tellClient(known, error);
    }
  };
  return carryRequirements(named(`${wrapper}(${handler.name || 'handler'})`, wrapped), requirementsOf(handler));
}

/**
 * Sends a `ClientError` that its handler throws to the client as `{ "error": code, … }`, the details beside `error`. The channel stays open, and
 * the session is left as it was. Any other error goes on. At connect, before the handshake is answered, the client would see the
 * message after the 101.
 */
export const withClientErrors: Configurable<NoOptions> = callShapes(
  'withClientErrors',
  (handler) => catchClientErrors('withClientErrors', handler),
  (given) => {
    checkNoOptions('withClientErrors', given);
    return withClientErrors;
  },
) as Configurable<NoOptions>;
