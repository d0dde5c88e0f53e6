// What is packed is read far from this repository: its README and changelog get addresses in place of links to files that are not beside them.
//   node scripts/packed-pages.mjs write     before packing, in the folder of a package
//   node scripts/packed-pages.mjs restore   after it
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { addressesOf } from './repository.mjs';

const pages = ['README.md', 'CHANGELOG.md'];

/**
 * The links of a page that lead to files beside it, in its order.
 *
 * @param {string} markdown
 * @returns {{ url: string, isImage: boolean, start: number, end: number }[]} `start` and `end` are where the URL stands
 */
export function relativeLinksOf(markdown) {
  const links = [];
  const visit = (node) => {
    if ('url' in node && !/^([a-z][a-z\d+.-]*:|#|\/\/)/i.test(node.url)) {
      const { start, end } = node.position;
      const at = markdown.lastIndexOf(node.url, end.offset);
      if (at < start.offset) throw new Error(`line ${start.line}: write ${node.url} without escapes`);
      links.push({ url: node.url, isImage: node.type === 'image', start: at, end: at + node.url.length });
    }
    for (const child of node.children ?? []) visit(child);
  };
  visit(fromMarkdown(markdown));
  return links.toSorted((a, b) => a.start - b.start);
}

/**
 * The page with addresses in the repository in place of its relative links.
 *
 * @param {string} markdown
 * @param {{ readonly repository: { readonly url: string, readonly directory?: string } }} manifest
 */
export function withAddresses(markdown, manifest) {
  const { files, images } = addressesOf(manifest);
  let page = '';
  let done = 0;
  for (const { url, isImage, start, end } of relativeLinksOf(markdown)) {
    const path = posix.join(manifest.repository.directory ?? '', url);
    page += markdown.slice(done, start) + (isImage ? images : files) + path;
    done = end;
  }
  return page + markdown.slice(done);
}

/** Where a page waits while its packed form stands in its place. */
const asideOf = (page) => `.${page}.aside`;

function write() {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const page of pages.filter((each) => existsSync(each))) {
    // One that waits already was left by a packing that was cut off: it is the page.
    if (!existsSync(asideOf(page))) writeFileSync(asideOf(page), readFileSync(page));
    writeFileSync(page, withAddresses(readFileSync(asideOf(page), 'utf8'), manifest));
  }
}

function restore() {
  for (const page of pages.filter((each) => existsSync(asideOf(each)))) renameSync(asideOf(page), page);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [mode] = process.argv.slice(2);
  if (mode === 'write') write();
  else if (mode === 'restore') restore();
  else throw new TypeError(`write or restore, got ${mode}`);
}
