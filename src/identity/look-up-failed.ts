import { ChannelError } from '../errors.js';

/** The error of a look-up that could not be done: "cannot tell", and never "anonymous". */
export function lookUpFailed(error: unknown): ChannelError {
  if (error instanceof ChannelError && (error.code === 'ERR_LOOKUP_FAILED' || error.code === 'ERR_LOOKUP_TIMEOUT')) return error;
  return new ChannelError('ERR_LOOKUP_FAILED', 'Looking up the user of a channel failed.', { cause: error });
}
