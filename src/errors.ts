import { aName, anObject, aString, checkedOptions, checkOption, type Rules } from './checked-options.js';
import { type ErrorCode, isErrorCode } from './outcomes.js';
import { shareAcrossCopies } from './shared-class.js';
import { isCloseCode, isRefusalStatus } from './status-codes.js';
import { isThrown, memberOf } from './thrown.js';

/**
 * Whatever goes wrong with a channel. `code` says what (each has a heading in `docs/errors.md`), `cause` holds the error behind it.
 * No message holds a key, a cookie or a session id. Adapters throw it too, for the codes that their contract names.
 */
export class ChannelError extends Error {
  /** What happened. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ChannelError'; // not that of the class, which minifiers shorten
    this.code = code;
  }
}

/** The code of what was thrown, if it is a {@link ChannelError} with one of our codes. Never throws. */
export function codeOf(error: unknown): ErrorCode | undefined {
  if (!isThrown(error, ChannelError)) return undefined;
  const code = memberOf(error, 'code');
  return isErrorCode(code) ? code : undefined;
}

/** What {@link DenyConnection} tells the client. */
export interface DenyOptions {
  /** HTTP status before the handshake is answered, 400 to 599. @default 403, or what the server's `outcomes` say */
  readonly status?: number | undefined;
  /** Close code after it. @default 3003, or what the server's `outcomes` say */
  readonly closeCode?: number | undefined;
  /** Reason of the close frame, cut at 123 bytes. @default 'denied', or what the server's `outcomes` say */
  readonly reason?: string | undefined;
}

/** What a refusal may say. */
export const refusalRules: Rules<DenyOptions> = {
  status: { must: 'an integer from 400 to 599', accepts: isRefusalStatus },
  closeCode: { must: 'a code that a server may send', accepts: isCloseCode },
  reason: aString,
};

/** Thrown by a handler or wrapper to refuse the connection: a status before the handshake is answered, a close code after it. */
export class DenyConnection extends ChannelError {
  readonly status: number | undefined;
  readonly closeCode: number | undefined;
  readonly reason: string | undefined;

  /** @throws {TypeError} when a status or close code is out of its range, the reason is no string, or there is no such option. */
  constructor(options: DenyOptions = {}) {
    super('ERR_CONNECTION_DENIED', 'The connection was denied by the application.');
    this.name = 'DenyConnection';
    const { status, closeCode, reason } = checkedOptions('DenyConnection', options, refusalRules);
    this.status = status;
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/** Thrown by a handler to close its channel. In connect, before the handshake is answered, it refuses with 403. */
export class CloseChannel extends ChannelError {
  readonly closeCode: number;
  readonly reason: string;

  /**
   * @param closeCode as for `channel.close`. @default 1000
   * @throws {TypeError} when a server may not send `closeCode`, or the reason is no string.
   */
  constructor(closeCode = 1000, reason = '') {
    super('ERR_CHANNEL_CLOSED', 'The channel was closed by the application.');
    this.name = 'CloseChannel';
    checkOption('CloseChannel', 'closeCode', closeCode, refusalRules.closeCode);
    checkOption('CloseChannel', 'reason', reason, refusalRules.reason);
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/** A client is over its bound. */
export class RateLimitError extends ChannelError {
  /** How long until it is not; `undefined` where that is not known. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs: number | undefined) {
    super('ERR_RATE_LIMITED', message);
    this.name = 'RateLimitError';
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Thrown to tell the client what it did wrong. Under `withClientErrors`, `withJson`, `dispatchOn` and `withRequestId` the client gets
 * `{ ...details, "error": code }` and the channel stays open; elsewhere it is an error like any other.
 */
export class ClientError extends Error {
  /** The application's own code, e.g. `"room_full"`. */
  readonly code: string;
  /** Sent beside `error`; JSON must be able to hold it. */
  readonly details: Readonly<Record<string, unknown>>;

  /** @throws {TypeError} when `code` is no string or empty, or `details` are no object. */
  constructor(code: string, details: Readonly<Record<string, unknown>> = {}) {
    checkOption('ClientError', 'code', code, aName);
    checkOption('ClientError', 'details', details, anObject);
    super(`${code}: the client is told only under withClientErrors, withJson, dispatchOn or withRequestId.`);
    this.name = 'ClientError';
    this.code = code;
    this.details = { ...details };
  }
}

shareAcrossCopies(ChannelError, 'ChannelError');
shareAcrossCopies(DenyConnection, 'DenyConnection');
shareAcrossCopies(CloseChannel, 'CloseChannel');
shareAcrossCopies(RateLimitError, 'RateLimitError');
shareAcrossCopies(ClientError, 'ClientError');
