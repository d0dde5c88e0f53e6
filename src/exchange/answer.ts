import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a client is told with each status that refuses it; constant. */
const errors = {
  400: 'invalid_json',
  401: 'authentication_required',
  403: 'origin_refused',
  405: 'method_not_allowed',
  408: 'too_slow',
  409: 'too_many_tokens',
  413: 'too_large',
  500: 'internal_error',
  503: 'try_again_later',
} as const;

/** A status that refuses a client. */
export type RefusalStatus = keyof typeof errors;

/** Thrown where a request is refused: the client's affair, which nobody is told of. */
export class Refused extends Error {
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus) {
    super(errors[status]);
    this.status = status;
  }
}

/** Further headers of some of them. */
const headers: { readonly [Status in RefusalStatus]?: readonly [name: string, value: string] } = {
  401: ['WWW-Authenticate', 'Bearer'], // RFC 9110, section 15.5.2
  405: ['Allow', 'POST'],
  503: ['Retry-After', '5'],
};

/** Bodies longer than this, or of unknown length, are not waited for: the connection ends with the answer. */
const maxIgnoredBytes = 65_536;

/** Whether somebody has answered, or nobody listens. */
export function isAnswered({ headersSent, writableEnded, destroyed }: ServerResponse): boolean {
  return headersSent || writableEnded || destroyed;
}

/** Answers a request, unless it has been answered: with `body` as JSON, or what its status says, or nothing. Nobody is to keep it. */
export function answer(request: IncomingMessage, response: ServerResponse, status: RefusalStatus | 200 | 204, body?: object): void {
  if (isAnswered(response)) return;
  if (!request.complete && !isShort(request)) response.shouldKeepAlive = false;
  response.statusCode = status;
  response.setHeader('Cache-Control', 'no-store');
  if (status === 204) {
    response.end();
    return;
  }
  const header = status === 200 ? undefined : headers[status];
  if (header !== undefined) response.setHeader(...header);
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(status === 200 ? body : { error: errors[status] }));
}

function isShort({ headers: { 'content-length': length, 'transfer-encoding': encoding } }: IncomingMessage): boolean {
  return encoding === undefined && Number(length ?? 0) <= maxIgnoredBytes;
}
