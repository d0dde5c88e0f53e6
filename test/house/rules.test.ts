import { describe, expect, it } from 'vitest';
import { parseModule } from './modules.js';
import { type PackageFacts, violationsOf } from './rules.js';

const facts: PackageFacts = {
  dependencies: ['cookie'],
  peers: ['ws', 'tsyringe', 'reflect-metadata', 'mongodb'],
  adapterOf: { mongodb: 'adapters/mongodb' },
};

/** The violations of a made-up house: path → source text. */
function check(files: Readonly<Record<string, string>>): string[] {
  return violationsOf(
    Object.entries(files).map(([path, text]) => parseModule({ path, text })),
    facts,
  );
}

describe('the rules of the house', () => {
  it.each([
    [
      'an adapter and a decorator that import src',
      { 'adapters/a/x.ts': "import '../../src/b.js';", 'decorators/d.ts': "import '../src/b.js';" },
    ],
    ['an adapter that imports its own folder', { 'adapters/a/x.ts': "import './y.js';" }],
    [
      'an entry that re-exports what is below it',
      { 'entries/index.ts': "export * from '../decorators/with-x.js'; export * from '../testing/y.js'; export * from '../src/z.js';" },
    ],
    ['a contract suite that imports its own folder', { 'testing/contracts/a.ts': "import '../test-clock.js'; import '../../src/b.js';" }],
    ['layers of src that go down', { 'src/server/s.ts': "import '../channel/c.js'; import '../contracts/k.js'; import '../errors.js';" }],
    ['packages that are declared', { 'src/a.ts': "import 'ws'; import 'cookie'; import 'node:http';" }],
    [
      'injection that knows tsyringe',
      {
        'src/injection.ts': "import './reflection.js'; import { container } from 'tsyringe';",
        'src/reflection.ts': "import 'reflect-metadata';",
      },
    ],
    ['an entry that exports the client', { 'entries/client.ts': "export * from '../client/a.js';", 'client/a.ts': "import './b.js';" }],
    ['the adapter of an optional peer', { 'adapters/mongodb/a.ts': "import { Long } from 'mongodb';" }],
  ])('let %s pass', (_, files) => {
    expect(check(files)).toEqual([]);
  });

  it.each([
    ['src that imports a decorator', { 'src/a.ts': "import type { B } from '../decorators/b.js';" }],
    ['src that imports an adapter', { 'src/a.ts': "export * from '../adapters/a/b.js';" }],
    ['a decorator that imports an adapter', { 'decorators/a.ts': "import '../adapters/memory/b.js';" }],
    ['a decorator that imports an entry', { 'decorators/a.ts': "import '../entries/index.js';" }],
    ['src that imports an entry', { 'src/a.ts': "import type { B } from '../entries/index.js';" }],
    ['an entry that imports another', { 'entries/memory.ts': "export * from './index.js';" }],
    ['src that imports what is for tests', { 'src/a.ts': "import '../testing/test-clock.js';" }],
    ['an adapter that imports what is for tests', { 'adapters/a/b.ts': "import '../../testing/test-clock.js';" }],
    ['what is for tests that imports an adapter', { 'testing/a.ts': "import '../adapters/memory/b.js';" }],
    ['an adapter that imports a decorator', { 'adapters/a/b.ts': "import '../../decorators/b.js';" }],
    ['an adapter that imports another', { 'adapters/a/b.ts': "import '../b/b.js';" }],
    ['a layer that imports upwards', { 'src/session/a.ts': "import '../channel/b.js';" }],
    ['a layer that imports upwards, types only', { 'src/wrapping/a.ts': "import type { B } from '../channel/b.js';" }],
    ['a type that imports upwards, in place', { 'src/contracts/a.ts': "export type B = import('../server/b.js').B;" }],
    ['the ground that imports a floor', { 'src/messages.ts': "import type { Finding } from './identity/user-source.js';" }],
    ['a folder without a floor', { 'src/attic/a.ts': "import '../errors.js';" }],
    ['tsyringe outside injection', { 'src/server/a.ts': "import { container } from 'tsyringe';" }],
    ['a client that imports src, types only', { 'client/a.ts': "import type { B } from '../src/b.js';" }],
    ['a client that imports Node', { 'client/a.ts': "import 'node:http';" }],
    ['a client that imports a dependency', { 'client/a.ts': "import 'ws';" }],
    ['src that imports the client', { 'src/a.ts': "import type { B } from '../client/b.js';" }],
    ['a decorator that imports the client', { 'decorators/a.ts': "import '../client/b.js';" }],
    ['an optional peer outside its adapter', { 'adapters/memory/a.ts': "import type { Db } from 'mongodb';" }],
    ['an optional peer behind import()', { 'src/a.ts': "export const load = () => import('mongodb');" }],
    ['a package that is not declared', { 'src/a.ts': "export * from 'vitest/node';" }],
  ])('report %s', (_, files) => {
    expect(check(files)).toHaveLength(1);
  });

  it('report a circle, once, with the way round it', () => {
    const violations = check({
      'src/a.ts': "import './b.js';",
      'src/b.ts': "import type { C } from './c.js';",
      'src/c.ts': "export type { A } from './a.js';",
    });
    expect(violations).toEqual(['src/a.ts → src/b.ts → src/c.ts → src/a.ts: a circle of imports']);
  });

  it('do not take two ways to one file for a circle', () => {
    expect(check({ 'src/a.ts': "import './b.js'; import './c.js';", 'src/b.ts': "import './c.js';", 'src/c.ts': '' })).toEqual([]);
  });

  it('refuse an import() whose module cannot be known, and a file that does not parse', () => {
    expect(() => parseModule({ path: 'src/a.ts', text: 'export const load = (name: string) => import(name);' })).toThrow(TypeError);
    expect(() => parseModule({ path: 'src/a.ts', text: 'export const = 1;' })).toThrow(SyntaxError);
  });
});
