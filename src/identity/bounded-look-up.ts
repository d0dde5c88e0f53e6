import type { Clock } from '../contracts/clock.js';
import { withDeadline } from '../deadline.js';
import { ChannelError } from '../errors.js';
import { lookUpFailed } from './look-up-failed.js';

/**
 * What `run` looks up, under a deadline of `ms` milliseconds. Whatever keeps it from an answer is "cannot tell".
 *
 * @param doing what it is, for the error: a phrase that begins a sentence.
 * @throws {ChannelError} (as a rejection) `ERR_LOOKUP_TIMEOUT` or `ERR_LOOKUP_FAILED`.
 */
export async function boundedLookUp<T>(doing: string, run: () => Promise<T>, clock: Clock, ms: number): Promise<T> {
  const onTimeout = (): Error => new ChannelError('ERR_LOOKUP_TIMEOUT', `${doing} took longer than ${ms} ms.`);
  try {
    return await withDeadline(run, { clock, ms, onTimeout });
  } catch (error) {
    throw lookUpFailed(error);
  }
}
