import type { IncomingMessage } from 'node:http';

const maxBytes = 4096;

/** A form that cannot be read; `message` may be shown. */
export class FormError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Reads a form that was sent as `application/x-www-form-urlencoded`, the way of plain HTML.
 *
 * @throws {FormError} 415 for another content type, 413 for more than 4 KiB.
 */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new FormError(415, 'Send this as a form.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed on an early end: the answer still has to go out.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new FormError(413, 'That is too much for this form.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
