import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** One import, re-export or type import of a module. */
export interface Import {
  /** As written: `./outcomes.js`, `ws`, `node:http`. */
  readonly specifier: string;
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** A source file and what it imports. */
export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

/** A file as it is; its path starts at the root of the repository, with `/` between the parts. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** All TypeScript files under a folder of the repository; none if there is no such folder. */
export function readSources(root: string, folder: string): Source[] {
  return readdirSync(root, { withFileTypes: true }).some((entry) => entry.name === folder && entry.isDirectory())
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
        .filter((path) => path.endsWith('.ts') && !path.includes('/node_modules/'))
        .sort()
        .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    : [];
}

/** Reads the imports of a file from its syntax tree. */
export function parseModule({ path, text }: Source): Module {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new SyntaxError(`${path}: ${error.message}`);
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => void imports.push({ specifier, typeOnly });
  new Visitor({
    // `import { type A } from 'b'` still loads b (verbatimModuleSyntax); only `import type` does not.
    ImportDeclaration: (node) => add(node.source.value, node.importKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source.value, node.exportKind === 'type'),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node.source.value, node.exportKind === 'type');
    },
    ImportExpression: (node) => {
      if (node.source.type !== 'Literal') throw new TypeError(`${path}: import() must name its module, or no rule can be checked`);
      add(String(node.source.value), false);
    },
    TSImportType: (node) => add(node.source.value, true),
  }).visit(program);
  return { path, imports };
}

/** Whether a file has nothing but `export … from`. */
export function doesNothingButReExport({ path, text }: Source): boolean {
  return parseSync(path, text).program.body.every(
    (node) => (node.type === 'ExportAllDeclaration' || node.type === 'ExportNamedDeclaration') && node.source !== null,
  );
}

/** The repository path that a relative import means, or the name of the package it comes from. */
export function targetOf(module: Module, { specifier }: Import): { readonly path: string } | { readonly packageName: string } {
  if (specifier.startsWith('.')) return { path: posix.join(posix.dirname(module.path), specifier).replace(/\.js$/, '.ts') };
  const [scope = specifier, name] = specifier.split('/');
  return { packageName: scope.startsWith('@') && name ? `${scope}/${name}` : scope };
}
