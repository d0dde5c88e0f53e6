import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { doesNothingButReExport, parseModule, readSources, targetOf } from './modules.js';
import { type PackageFacts, violationsOf } from './rules.js';

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Manifest;
const cliManifest = JSON.parse(readFileSync(`${root}/cli/package.json`, 'utf8')) as Pick<Manifest, 'dependencies'>;
const storeys = ['entries', 'client', 'adapters', 'testing', 'decorators', 'src'];
const sources = storeys.flatMap((folder) => readSources(root, folder));
const shipped = sources.map(parseModule);

const facts: PackageFacts = {
  dependencies: Object.keys(manifest.dependencies),
  peers: Object.keys(manifest.peerDependencies),
  adapterOf: {
    mongodb: 'adapters/mongodb',
    dataloader: 'adapters/mongodb',
    'lru-cache': 'adapters/mongodb',
    jose: 'adapters/jwt',
    'express-session': 'adapters/express',
    ioredis: 'adapters/redis',
    redis: 'adapters/redis',
    'rate-limiter-flexible': 'adapters/rate-limit',
    '@opentelemetry/api': 'adapters/opentelemetry',
  },
};

describe('the house', () => {
  it('has all its storeys', () => {
    expect(new Set(shipped.map(({ path }) => path.split('/')[0]))).toEqual(new Set(storeys));
  });

  it('has imports that go down only, in no circle, of declared packages only', () => {
    expect(violationsOf(shipped, facts)).toEqual([]);
  });

  it('imports only files that exist', () => {
    const paths = new Set(shipped.map(({ path }) => path));
    const dangling = shipped.flatMap((module) =>
      module.imports.flatMap((imported) => {
        const target = targetOf(module, imported);
        return 'path' in target && !paths.has(target.path) ? [`${module.path}: ${imported.specifier}`] : [];
      }),
    );
    expect(dangling).toEqual([]);
  });

  it('has no import.meta, which nobody could compile to CommonJS', () => {
    expect(sources.filter(({ text }) => /\bimport\.meta\.\w/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('has no hook at the top of what tests share: modules are loaded once, and only the first file would have it', () => {
    const shared = readSources(root, 'test').filter(({ path }) => !path.endsWith('.test.ts'));
    expect(shared.filter(({ text }) => /^(before|after)(Each|All)\(/m.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('has one entry for each entry point of the package, which re-exports and does nothing else', () => {
    const points = Object.keys(manifest.exports).filter((point) => point !== './package.json');
    const files = points.map((point) => `entries/${point === '.' ? 'index' : point.slice(2)}.ts`);
    const entries = sources.filter(({ path }) => path.startsWith('entries/'));
    expect(entries.map(({ path }) => path)).toEqual(files.toSorted());
    expect(entries.filter(({ path, text }) => !doesNothingButReExport({ path, text }))).toEqual([]);
  });

  it('has a command line that uses the optional peers which an application has, whatever versions of them are allowed', () => {
    const ranges: readonly [string, string][] = Object.entries(cliManifest.dependencies);
    const optional = ranges.filter(([name]) => manifest.peerDependenciesMeta?.[name]?.optional);
    expect(optional).not.toEqual([]);
    expect(Object.fromEntries(optional)).toEqual(Object.fromEntries(optional.map(([name]) => [name, manifest.peerDependencies[name]])));
  });

  it('gives every optional peer to one adapter, but for types', () => {
    const optional = Object.entries(manifest.peerDependenciesMeta ?? {}).filter(([, meta]) => meta.optional);
    expect(optional.map(([name]) => name).filter((name) => !(name in facts.adapterOf))).toEqual(['@types/ws']);
  });

  it('has the types of what it imports as peers, too: a strict installation hides them from its declarations otherwise', () => {
    const imported = shipped.flatMap((module) => module.imports.map((each) => targetOf(module, each)));
    const types = imported.flatMap((target) => ('path' in target ? [] : [`@types/${target.packageName}`]));
    expect(types.filter((name) => name in manifest.devDependencies && !(name in manifest.peerDependencies))).toEqual([]);
  });
});
