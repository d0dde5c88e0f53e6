import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Content } from './reply.js';

const folder = new URL('../page/', import.meta.url);
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page of those who are logged in. */
export const chatPage: Content = load('chat.html');

/** What the pages load, by path. Read once: what is not here now is never looked for in the file system. */
export const files: ReadonlyMap<string, Content> = new Map(
  readdirSync(folder)
    .filter((name) => extname(name) in types && extname(name) !== '.html')
    .map((name) => [`/${name}`, load(name)]),
);

function load(name: string): Content {
  return { type: types[extname(name)] as string, body: readFileSync(new URL(name, folder)) };
}
