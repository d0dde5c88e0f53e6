import { CloseChannel, codeOf, DenyConnection, RateLimitError } from '../errors.js';
import { type ErrorCode, isOrderly, isReported, type Outcomes } from '../outcomes.js';
import { cutReason, isCloseCode, isRefusalStatus } from '../status-codes.js';
import { isThrown } from '../thrown.js';
import type { Refusal } from './transport.js';

/** How long a channel that we end has to flush and answer the close frame, before its connection is dropped. */
export const closeGraceMs = 1_000;
/** The same where the application closes it in order: what was sent before may be much, and the peer's line slow. */
export const orderlyCloseGraceMs = 30_000;

/** Why and how a channel ends. */
export interface Ending extends Refusal {
  /** What ends it here; `undefined` where the other side has ended it. */
  readonly code: ErrorCode | undefined;
  /** The application or a shutdown closes it: what was received before is still handled. Otherwise it is dropped. */
  readonly isOrderly: boolean;
}

/** What an error means for its channel. */
export interface Verdict {
  readonly code: ErrorCode;
  readonly ending: Ending;
  /** Whether the application's `onError` is told. */
  readonly isReported: boolean;
}

/** How the table of outcomes ends a channel for `code`. */
export function endingFor(code: ErrorCode, outcomes: Outcomes): Ending {
  return { ...outcomes[code], code, isOrderly: isOrderly(code) };
}

/** What `error` means, whatever was thrown: what is no error of ours, or says what cannot be sent, is a failure of the handler. */
export function verdictOn(error: unknown, outcomes: Outcomes): Verdict {
  const code = codeOf(error) ?? 'ERR_HANDLER_FAILED'; // a code that is not ours says nothing about how to end
  const ending = sendable(error, endingFor(code, outcomes));
  if (ending !== undefined) return { code, ending, isReported: isReported(code) };
  const failed = 'ERR_HANDLER_FAILED';
  return { code: failed, ending: endingFor(failed, outcomes), isReported: isReported(failed) };
}

/**
 * `ending`, with what the application's error says of it; `undefined` where that cannot be sent or read: an error can be changed once it is
 * made.
 */
function sendable(error: unknown, ending: Ending): Ending | undefined {
  try {
    if (isThrown(error, DenyConnection)) {
      const { status = ending.status, closeCode = ending.closeCode, reason = ending.reason } = error;
      return checked({ ...ending, status, closeCode, reason });
    }
    if (isThrown(error, CloseChannel)) {
      const { closeCode, reason } = error;
      return checked({ ...ending, closeCode, reason });
    }
    if (isThrown(error, RateLimitError)) return { ...ending, retryAfterMs: error.retryAfterMs };
    return ending;
  } catch {
    return undefined; // a getter threw
  }
}

function checked(ending: Ending): Ending | undefined {
  const { status, closeCode, reason } = ending;
  if (!isRefusalStatus(status) || !isCloseCode(closeCode) || typeof reason !== 'string') return undefined;
  return { ...ending, reason: cutReason(reason) };
}
