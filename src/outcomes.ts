/** What the client sees when an error ends its channel: a status before the handshake is answered, a close code after it. */
export interface Outcome {
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Close code (RFC 6455, section 7.4; 3000, 3003 and 3008 as registered with IANA). */
  readonly closeCode: number;
  /** Reason of the close frame; constant, at most 123 bytes of UTF-8. */
  readonly reason: string;
}

/** All that the runtime knows of an error code. */
interface CodeRow extends Outcome {
  /** `false` for refusals: the application asked for them, or the client has no business here, so `onError` is not told. @default true */
  readonly isReported?: false;
  /** `true` where the application or a shutdown ends the channel: what was received before is still handled. @default false */
  readonly isOrderly?: true;
}

/** Each error code, once; the option `outcomes` of a server replaces what the client sees of it. */
const codes = {
  ERR_SUBPROTOCOL_REFUSED: { status: 400, closeCode: 3003, reason: 'no acceptable subprotocol' },
  ERR_SUBPROTOCOL_UNGUARDED: { status: 400, closeCode: 3003, reason: 'no acceptable subprotocol' },
  ERR_ORIGIN_REFUSED: { status: 403, closeCode: 3003, reason: 'origin refused', isReported: false },
  ERR_AUTHENTICATION_REQUIRED: { status: 401, closeCode: 3000, reason: 'authentication required', isReported: false },
  ERR_TOKEN_EXPIRED: { status: 401, closeCode: 3000, reason: 'token expired', isReported: false },
  ERR_TOKEN_REVOKED: { status: 401, closeCode: 3000, reason: 'token revoked', isReported: false },
  ERR_USER_INACTIVE: { status: 401, closeCode: 3000, reason: 'user inactive', isReported: false },
  ERR_HTTP_SESSION_ENDED: { status: 401, closeCode: 3000, reason: 'session ended', isReported: false },
  ERR_SOURCE_ENDING: { status: 401, closeCode: 3000, reason: 'token expired', isReported: false },
  ERR_CONNECTION_DENIED: { status: 403, closeCode: 3003, reason: 'denied', isReported: false },
  ERR_CHANNEL_CLOSED: { status: 403, closeCode: 1000, reason: '', isReported: false, isOrderly: true },
  ERR_LOOKUP_FAILED: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_LOOKUP_TIMEOUT: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_GRANT_STALE: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_REVOCATION_FEED_FAILED: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_BROADCAST_FAILED: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_SESSION_LOAD_FAILED: { status: 503, closeCode: 1013, reason: 'try again later' },
  ERR_CONNECT_TIMEOUT: { status: 408, closeCode: 3008, reason: 'connect took too long' },
  ERR_HANDLER_FAILED: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_HANDLER_TIMEOUT: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_WRAPPER_MISSING: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_DEPENDENCY_MISSING: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_SESSION_SAVE_FAILED: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_SESSION_CONFLICT: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_SESSION_GONE: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_HTTP_SESSION_READ_ONLY: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_SESSION_CORRUPT: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_RATE_LIMITED: { status: 429, closeCode: 1008, reason: 'rate limited', isReported: false },
  ERR_TOO_MANY_CHANNELS: { status: 429, closeCode: 1013, reason: 'too many connections', isReported: false },
  ERR_INPUT_OVERFLOW: { status: 413, closeCode: 1008, reason: 'too much input' },
  ERR_SLOW_CONSUMER: { status: 503, closeCode: 1013, reason: 'too slow' },
  ERR_PEER_SILENT: { status: 408, closeCode: 1001, reason: 'peer silent', isReported: false },
  ERR_UPGRADE_TAKEN: { status: 500, closeCode: 1011, reason: 'internal error' },
  ERR_SHUTDOWN: { status: 503, closeCode: 1012, reason: 'restarting', isOrderly: true },
} as const satisfies Record<string, CodeRow>;

/** A code of {@link ChannelError}. */
export type ErrorCode = keyof typeof codes;

/** A full table of outcomes. */
export type Outcomes = Readonly<Record<ErrorCode, Outcome>>;

const rows: Readonly<Record<ErrorCode, CodeRow>> = codes;

/** What the client sees of each error code, unless `outcomes` of the server says otherwise. */
export const defaultOutcomes: Outcomes = Object.freeze(
  Object.fromEntries(
    Object.entries(rows).map(([code, { status, closeCode, reason }]) => [code, Object.freeze({ status, closeCode, reason })]),
  ),
) as Outcomes;

/** Whether `code` is one of ours. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(rows, code);
}

/** Whether `onError` is told of an error of this code. */
export function isReported(code: ErrorCode): boolean {
  return rows[code].isReported ?? true;
}

/** Whether what a channel received before it ends by this code is still handled. */
export function isOrderly(code: ErrorCode): boolean {
  return rows[code].isOrderly ?? false;
}

const privateCodes: Readonly<Record<number, number>> = { 3000: 4401, 3003: 4403, 3008: 4408 };

/** Close codes of the private range, for clients that know HTTP's numbers: 4401, 4403 and 4408 in place of 3000, 3003 and 3008. */
export const privateCloseCodes: { readonly [Code in ErrorCode]?: Partial<Outcome> } = Object.freeze(
  Object.fromEntries(
    Object.entries(rows).flatMap(([code, { closeCode: registered }]) => {
      const closeCode = privateCodes[registered];
      return closeCode === undefined ? [] : [[code, { closeCode }]];
    }),
  ),
);
