import { fromMarkdown } from 'mdast-util-from-markdown';

/**
 * TypeScript of a page that is compiled as one module: a fenced `ts` block, and those after it that are marked `continue`.
 *
 * Words after `ts`: `continue` goes on with the block before; `legacy` compiles with `experimentalDecorators`; a name that ends in
 * `.ts` is the file's, so that other blocks of the page can import it.
 */
export interface CodeModule {
  readonly fileName: string;
  readonly legacyDecorators: boolean;
  /** Has the page's line numbers. */
  readonly text: string;
}

interface Block {
  readonly line: number;
  readonly words: readonly string[];
  readonly text: string;
}

/** The modules of a page, in its order. */
export function codeModules(markdown: string): CodeModule[] {
  const chains: Block[][] = [];
  for (const block of typescriptBlocks(markdown)) {
    const unknown = block.words.find((word) => !/^(continue|legacy|.*\.ts)$/.test(word));
    if (unknown !== undefined)
      throw new TypeError(`line ${block.line}: a ts block may be marked continue, legacy or name.ts, not ${unknown}`);
    const before = chains.at(-1);
    if (!block.words.includes('continue')) chains.push([block]);
    else if (before) before.push(block);
    else throw new TypeError(`line ${block.line}: there is no block to continue`);
  }
  return chains.map(moduleOf);
}

function typescriptBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  const visit = (node: ReturnType<typeof fromMarkdown> | ReturnType<typeof fromMarkdown>['children'][number]): void => {
    if (node.type === 'code' && (node.lang === 'ts' || node.lang === 'typescript')) {
      blocks.push({ line: (node.position?.start.line ?? 0) + 1, words: node.meta?.split(/\s+/) ?? [], text: node.value });
    }
    if ('children' in node) node.children.forEach(visit);
  };
  visit(fromMarkdown(markdown));
  return blocks;
}

function moduleOf(chain: readonly Block[]): CodeModule {
  const lines: string[] = [];
  for (const { line, text } of chain) {
    while (lines.length < line - 1) lines.push('');
    lines.push(...text.split('\n'));
  }
  const words = chain.flatMap((block) => block.words);
  const name = words.find((word) => word.endsWith('.ts'));
  return { fileName: name ?? `line-${chain[0]?.line}.ts`, legacyDecorators: words.includes('legacy'), text: `${lines.join('\n')}\n` };
}
