import type { ServerResponse } from 'node:http';

/** What a response holds; nothing for a redirection. */
export interface Content {
  readonly html?: string;
  readonly json?: unknown;
}

/** Headers of every response. */
export const headersOfAll: Readonly<Record<string, string>> = {
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
export function reply(
  response: ServerResponse,
  status: number,
  { html, json }: Content,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = json !== undefined ? 'application/json' : 'text/html; charset=utf-8';
  const body = json !== undefined ? JSON.stringify(json) : html;
  response.writeHead(status, { ...headersOfAll, ...headers, ...(body === undefined ? {} : { 'Content-Type': type }) }).end(body);
}
