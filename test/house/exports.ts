import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A name that an entry point of the package exports. */
export interface Exported {
  readonly name: string;
  /** The file that declares it, from the root of the repository. */
  readonly from: string;
}

const root = new URL('../../', import.meta.url);

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

function bodyOf(path: string) {
  return parseSync(path, textOf(path)).program.body;
}

/** All that a file exports, types included; of `export * from`, what the file behind it exports. */
export function exportsOf(path: string): Exported[] {
  return bodyOf(path).flatMap((node): Exported[] => {
    if (node.type === 'ExportAllDeclaration') return exportsOf(besides(path, node.source.value));
    if (node.type !== 'ExportNamedDeclaration') return [];
    const from = node.source ? besides(path, node.source.value) : path;
    const listed = node.specifiers.map(({ exported }) => (exported.type === 'Literal' ? exported.value : exported.name));
    return [...listed, ...declaredBy(node.declaration)].map((name) => ({ name, from }));
  });
}

function besides(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

type Declaration = Extract<ReturnType<typeof bodyOf>[number], { type: 'ExportNamedDeclaration' }>['declaration'];

function declaredBy(declaration: Declaration): string[] {
  if (!declaration) return [];
  if (declaration.type === 'VariableDeclaration') return declaration.declarations.flatMap(({ id }) => ('name' in id ? [id.name] : []));
  return 'id' in declaration && declaration.id && 'name' in declaration.id ? [declaration.id.name] : [];
}

/** The members of an interface and of those that it extends and imports; none where `name` is no interface. */
export function membersOf({ name, from }: Exported): string[] {
  const body = bodyOf(from);
  for (const node of body) {
    const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declared?.type !== 'TSInterfaceDeclaration' || declared.id.name !== name) continue;
    const own = declared.body.body.flatMap((member) => ('key' in member && 'name' in member.key ? [String(member.key.name)] : []));
    const inherited = declared.extends.flatMap(({ expression }) =>
      expression.type === 'Identifier' ? membersOf({ name: expression.name, from: importedFrom(from, expression.name) }) : [],
    );
    return [...own, ...inherited];
  }
  return [];
}

/** The file that `path` imports `name` from; `path` itself if it does not. */
function importedFrom(path: string, name: string): string {
  for (const node of bodyOf(path)) {
    if (node.type === 'ImportDeclaration' && node.specifiers.some(({ local }) => local.name === name))
      return besides(path, node.source.value);
  }
  return path;
}

/** The wrappers of the package, and `dispatchOn`: the functions that `entries/index.ts` takes from `decorators/`. */
export const wrappers: readonly string[] = exportsOf('entries/index.ts')
  .filter(({ name, from }) => from.startsWith('decorators/') && /^[a-z]/.test(name))
  .map(({ name }) => name);
