import type { IncomingMessage } from 'node:http';
import { Refused } from './answer.js';

/** So much of a body is read at most. */
const maxBytes = 1_024;

/**
 * The JSON of a request's body, or what a middleware has parsed of it or read as text or bytes; `undefined` where it has none.
 *
 * @throws {Refused} 413 where it is longer than 1,024 bytes, 400 where it is no JSON.
 * @throws {Error} where it had one that somebody else has read and not kept: what it asks for must not be passed over.
 */
export async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const kept = keptBody(request);
  const isText = typeof kept === 'string' || Buffer.isBuffer(kept);
  if (kept !== undefined && !isText) return kept;
  if (kept === undefined && request.complete && request.readableEnded) {
    if (!hadBody(request)) return undefined;
    throw new Error('The body of a request was read before, and what it says is not on request.body: put it there, or let nobody read it.');
  }
  if (isText && Buffer.byteLength(kept) > maxBytes) throw new Refused(413);
  const text = isText ? String(kept) : await textOf(request);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400);
  }
}

/** What a middleware has kept of a body. Parsers of Express 4 put an empty object there where they leave the body to others. */
function keptBody(request: IncomingMessage): unknown {
  const kept: unknown = Reflect.get(request, 'body');
  const isUnread = request.readableDidRead === false && !request.readableEnded && hadBody(request);
  return isUnread && typeof kept === 'object' && kept !== null && Object.keys(kept).length === 0 ? undefined : kept;
}

/** Whether a request came with a body. Those of HTTP/2 need not say so in a header; their stream knows. */
function hadBody(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length !== undefined) return Number(length) > 0;
  const { endAfterHeaders } = (Reflect.get(request, 'stream') ?? {}) as { readonly endAfterHeaders?: unknown };
  return encoding !== undefined || endAfterHeaders === false;
}

function textOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (run: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.resume(); // what is left of it is nobody's
      run();
    };
    const onData = (read: Buffer | string): void => {
      // it is text where somebody has called setEncoding
      const chunk = typeof read === 'string' ? Buffer.from(read, request.readableEncoding ?? undefined) : read;
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) settle(() => reject(new Refused(413)));
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks).toString()));
    const onClose = (): void => settle(() => reject(new Refused(400)));
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
