import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { headersOfAll } from './reply.js';

const options = {
  etag: true,
  extensions: [],
  setHeaders(response: ServerResponse): void {
    for (const [name, value] of Object.entries(headersOfAll)) response.setHeader(name, value);
  },
};
// Both are read once: what is not there when the chat starts is never looked for in the file system.
const page = sirv(fileURLToPath(new URL('../page/', import.meta.url)), options);
const library = sirv(fileURLToPath(new URL('..', import.meta.resolve('ws-with'))), options);
/** A page needs `ws-with/client`, and what that loads. */
const ofClient = /^\/ws-with(\/(?:client\/[\w-]+|entries\/client)\.js)$/;

/** Answers with a file of the page or of the client that it uses; calls `orElse` where there is none. */
export function serveFile(request: IncomingMessage, response: ServerResponse, path: string, orElse: () => void): void {
  const [, client] = ofClient.exec(path) ?? [];
  if (client !== undefined) request.url = client;
  (client === undefined ? page : library)(request, response, orElse);
}
