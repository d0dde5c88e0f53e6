import { type Module, targetOf } from './modules.js';

/** What the rules need to know of package.json. */
export interface PackageFacts {
  readonly dependencies: readonly string[];
  readonly peers: readonly string[];
  /** Optional peers, each with the adapter that alone may import it. */
  readonly adapterOf: Readonly<Record<string, string>>;
}

/** One break of the rules, as a sentence. */
export type Violation = string;

/** The floors of src/; files directly in src are of the ground, too. Imports stay on their floor or go down. */
const floors: Readonly<Record<string, number>> = {
  exchange: 6,
  server: 5,
  live: 4,
  groups: 4,
  channel: 3,
  session: 2,
  identity: 2,
  wrapping: 1,
  contracts: 0,
  feeds: 0,
  time: 0,
};

const importedAlone = new Map([
  ['tsyringe', ['src/injection.ts']],
  ['reflect-metadata', ['src/injection.ts', 'src/reflection.ts']],
]);

/** All rules at once; an empty list is a house in order. */
export function violationsOf(modules: readonly Module[], facts: PackageFacts): Violation[] {
  return [...modules.flatMap((module) => [...importViolations(module, facts)]), ...circlesOf(modules)];
}

function* importViolations(module: Module, facts: PackageFacts): Generator<Violation> {
  for (const imported of module.imports) {
    const target = targetOf(module, imported);
    const broken = 'path' in target ? storeyRule(module.path, target.path) : packageRule(module.path, target.packageName, facts);
    if (broken) yield `${module.path} imports ${'path' in target ? target.path : target.packageName}: ${broken}`;
  }
}

/** The part of the house that a file belongs to: one of its folders, or one adapter. */
function partOf(path: string): string {
  const [top = '', folder = ''] = path.split('/');
  return top === 'adapters' ? `adapters/${folder}` : top;
}

function storeyRule(from: string, to: string): string | undefined {
  const [here, there] = [partOf(from), partOf(to)];
  if (here === 'src' && there === 'src') return floorRule(from, to);
  if (there === 'entries') return 'entries/ are for users of the package';
  if (here === 'client' && there !== 'client') return 'client/ is for the other side, and imports its own folder only';
  if (here === 'entries' || here === there || there === 'src') return undefined;
  if (here === 'src') return 'src/ imports nothing above it';
  return here.startsWith('adapters/')
    ? 'an adapter imports src/ and its own folder only'
    : `${here}/ import src/ and their own folder only`;
}

function floorRule(from: string, to: string): string | undefined {
  const [here, there] = [floorOf(from), floorOf(to)];
  if (here === undefined || there === undefined) return 'a folder of src/ that has no floor';
  return there <= here ? undefined : 'imports go down only';
}

function floorOf(path: string): number | undefined {
  const [, folder = '', file] = path.split('/');
  return file === undefined ? 0 : floors[folder];
}

function packageRule(from: string, name: string, { dependencies, peers, adapterOf }: PackageFacts): string | undefined {
  if (partOf(from) === 'client') return 'client/ runs in browsers, and imports no package';
  if (name.startsWith('node:')) return undefined;
  const alone = importedAlone.get(name);
  if (alone !== undefined) return alone.includes(from) ? undefined : `imported by ${alone.join(' and ')} alone`;
  const adapter = adapterOf[name];
  if (adapter !== undefined) return partOf(from) === adapter ? undefined : `an optional peer of ${adapter} alone`;
  return dependencies.includes(name) || peers.includes(name) ? undefined : 'not a dependency of the published package';
}

/** Circular imports, types included; each circle once, from the file where the search met it. */
function circlesOf(modules: readonly Module[]): Violation[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const found: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`${[...trail.slice(start), path].join(' → ')}: a circle of imports`);
    const module = byPath.get(path);
    if (start >= 0 || done.has(path) || !module) return;
    for (const imported of module.imports) {
      const target = targetOf(module, imported);
      if ('path' in target) visit(target.path, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return found;
}
