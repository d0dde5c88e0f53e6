import { ChannelError, codeOf } from '../errors.js';
import { guardedController } from '../guarded-controller.js';
import { ignorePromise } from '../maybe-promise.js';
import type { ErrorCode } from '../outcomes.js';
import { isThrown } from '../thrown.js';
import { type TimeLimit, withDeadline } from '../time/deadline.js';

/** The look-up has failed by then, and that is told. */
const untold = { error: ignorePromise };

/** Tells a look-up that nobody waits for it any more. Most never ask, so the signal is made when one does. */
export class LookUpSignal {
  #controller: AbortController | undefined;
  #reason: unknown;
  #isAborted = false;

  get signal(): AbortSignal {
    this.#controller ??= guardedController(untold); // the application may listen, too
    if (this.#isAborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

function isLookUpCode(code: ErrorCode | undefined): boolean {
  return code === 'ERR_LOOKUP_FAILED' || code === 'ERR_LOOKUP_TIMEOUT';
}

/**
 * The error of a look-up that could not be done: "cannot tell", and never "anonymous".
 *
 * @param doing what it is: a phrase that begins a sentence.
 */
export function lookUpFailed(error: unknown, doing = 'Looking up the user of a channel'): ChannelError {
  if (isThrown(error, ChannelError) && isLookUpCode(codeOf(error))) return error;
  ignorePromise(error);
  return new ChannelError('ERR_LOOKUP_FAILED', `${doing} failed.`, { cause: error });
}

/**
 * What `run` looks up within `limit`. Whatever keeps it from an answer is "cannot tell".
 *
 * @param doing what it is, for the error: a phrase that begins a sentence.
 * @param run is given the signal that is aborted when the time is up.
 * @throws {ChannelError} (as a rejection) `ERR_LOOKUP_TIMEOUT` or `ERR_LOOKUP_FAILED`.
 */
export async function boundedLookUp<T>(doing: string, run: (aborting: LookUpSignal) => Promise<T>, limit: TimeLimit): Promise<T> {
  const aborting = new LookUpSignal();
  const onTimeout = (): Error => {
    const error = new ChannelError('ERR_LOOKUP_TIMEOUT', `${doing} took longer than ${limit.ms} ms.`);
    aborting.abort(error);
    return error;
  };
  try {
    return await withDeadline(() => run(aborting), { ...limit, onTimeout });
  } catch (error) {
    throw lookUpFailed(error, doing);
  }
}
