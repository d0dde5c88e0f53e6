import type { ServerResponse } from 'node:http';

/** What a response holds; nothing for a redirection. */
export interface Content {
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly text?: string;
  readonly json?: unknown;
}

const headersOfAll: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-cache',
  // Scripts and styles are files of ours; what users write is text and nothing else.
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  // Not no-referrer: with that, browsers send `Origin: null` with our own forms.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** Answers a request. */
export function reply(response: ServerResponse, status: number, content: Content, headers: Readonly<Record<string, string>> = {}): void {
  const { type, body } = encode(content);
  response.writeHead(status, { ...headersOfAll, ...headers, ...(type === undefined ? {} : { 'Content-Type': type }) }).end(body);
}

function encode({ type, body, text, json }: Content): { type: string | undefined; body: string | Buffer } {
  if (json !== undefined) return { type: 'application/json', body: JSON.stringify(json) };
  if (text !== undefined) return { type: 'text/plain; charset=utf-8', body: `${text}\n` };
  return { type, body: body ?? '' };
}
