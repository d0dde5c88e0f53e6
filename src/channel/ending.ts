import { ChannelError, CloseChannel, DenyConnection } from '../errors.js';
import { defaultOutcomes, type ErrorCode, type Outcome, type Outcomes } from '../outcomes.js';

/** Why and how a channel ends. */
export interface Ending extends Outcome {
  /** The application or a shutdown closes it: what was received before is still handled. Otherwise it is dropped. */
  readonly isOrderly: boolean;
}

/** Refusals are no errors: the application asked for them, or a client has no business here. */
const unreported: ReadonlySet<ErrorCode> = new Set([
  'ERR_CONNECTION_DENIED',
  'ERR_CHANNEL_CLOSED',
  'ERR_AUTHENTICATION_REQUIRED',
  'ERR_ORIGIN_REFUSED',
]);

/** The error code by which `error` ends a channel. */
export function codeOf(error: unknown): ErrorCode {
  // a code that is not ours says nothing about how to end
  return error instanceof ChannelError && Object.hasOwn(defaultOutcomes, error.code) ? error.code : 'ERR_HANDLER_FAILED';
}

/** Whether the application's `onError` is told of `error`. */
export function isReported(error: unknown): boolean {
  return !unreported.has(codeOf(error));
}

/** How the table of outcomes ends a channel for `code`. */
export function endingFor(code: ErrorCode, outcomes: Outcomes): Ending {
  return { ...outcomes[code], isOrderly: code === 'ERR_SHUTDOWN' };
}

/** How `error` ends a channel. */
export function endingOf(error: unknown, outcomes: Outcomes): Ending {
  const outcome = outcomes[codeOf(error)];
  if (error instanceof DenyConnection) {
    return {
      status: error.status ?? outcome.status,
      closeCode: error.closeCode ?? outcome.closeCode,
      reason: error.reason ?? outcome.reason,
      isOrderly: false,
    };
  }
  if (error instanceof CloseChannel) {
    return { status: outcome.status, closeCode: error.closeCode, reason: error.reason, isOrderly: true };
  }
  return endingFor(codeOf(error), outcomes);
}
