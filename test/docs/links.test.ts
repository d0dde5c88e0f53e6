import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map(
  (file) => `docs/${file.replaceAll('\\', '/')}`,
);
const readmes = ['bench', 'cli', ...readdirSync(join(root, 'examples')).map((example) => `examples/${example}`)].map(
  (folder) => `${folder}/README.md`,
);
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...readmes, ...documents].filter(
  (page) => page.endsWith('.md') && existsSync(join(root, page)),
);

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly children?: readonly Node[];
}

const all = (node: Node): readonly Node[] => [node, ...(node.children ?? []).flatMap(all)];
const wordsOf = (node: Node): string => all(node).reduce((words, { value = '' }) => words + value, '');
/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: Node): string =>
  wordsOf(heading)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

const nodes = new Map(pages.map((page) => [page, all(fromMarkdown(textOf(page)))]));
const anchors = new Map([...nodes].map(([page, found]) => [page, found.filter(({ type }) => type === 'heading').map(anchorOf)]));

function brokenLinksOf(page: string): string[] {
  const links = (nodes.get(page) ?? []).flatMap(({ url }) => (url === undefined || /^[a-z]+:/.test(url) ? [] : [url]));
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : posix.join(posix.dirname(page), path);
    return !existsSync(join(root, target)) || (anchor !== undefined && anchors.get(target)?.includes(anchor) === false);
  });
}

describe('the links of a page', () => {
  it.each(pages)('lead to files and headings that are there: %s', (page) => {
    expect(brokenLinksOf(page)).toEqual([]);
  });

  it('lead to each page of docs/ from its index', () => {
    const linked = (nodes.get('docs/README.md') ?? []).map(({ url = '' }) => `docs/${url}`);
    const listed = documents.filter((page) => /^docs\/[^/]+\.md$/.test(page) && page !== 'docs/README.md');
    expect(listed.filter((page) => !linked.some((link) => link.split('#')[0] === page))).toEqual([]);
  });
});
