import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

type Project = NonNullable<TestProjectInlineConfiguration['test']>;

const ofDocumentation = ['test/docs/code-blocks.test.ts', 'test/docs/docs.test.ts'];
const inBrowsers = ['test/client/*.browser.test.ts'];
const built = [
  'test/types/**/*.test.ts',
  'test/processes/*.test.ts',
  'test/docs/packed-pages.test.ts',
  'cli/test/migrate/*.test.ts',
  ...ofDocumentation,
];
/** The client in browsers is one of them for its server, whose sources this project transforms in any case. */
const onOtherPrograms = [
  ...inBrowsers,
  'test/adapters/{mongodb,redis}/**/*.test.ts',
  'test/adapters/express/connect-mongo.test.ts',
  'test/migrating/**/*.test.ts',
  'cli/test/*.test.ts',
  'examples/*/test/mongo*.test.ts',
];
/** For what starts programs. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000 };
const always = [...configDefaults.exclude, '**/fixtures/**', 'examples/recipes/**'];

/** What is left out on a second Node: a compiler is a program of its own, and so is the browser that a page runs in. */
const alikeOnEachNode = [
  'test/types/types.test.ts',
  'cli/test/migrate/compiled.test.ts',
  ...ofDocumentation,
  'examples/*/test/*browser.test.ts',
  ...inBrowsers,
];

export default defineConfig(({ mode }) => {
  /** Files of a project share their modules, so each leaves the process as it was. */
  const project = (name: string, { exclude = [], ...test }: Project): TestProjectInlineConfiguration => ({
    extends: true,
    test: { name, isolate: false, exclude: [...always, ...exclude, ...(mode === 'current-node' ? alikeOnEachNode : [])], ...test },
  });
  return {
    test: {
      // Two more than there are cores: much of what is tested on MongoDB and in a browser waits.
      maxWorkers: availableParallelism() + 2,
      // The examples import the package by its name: they get what is published, as Node loads it.
      server: { deps: { external: [/\/dist\//] } },
      // Machines with two cores are slow.
      testTimeout: 20_000,
      hookTimeout: 30_000,
      expect: { poll: { timeout: 15_000, interval: 20 } },
      restoreMocks: true,
      reporters: ['default', 'json'],
      outputFile: { json: 'out/test-results.json' },
      // Few of them: each transforms the sources for itself, and has a share of the coverage that is worked out for itself.
      projects: [
        // Needs nothing but the sources.
        project('unit', { include: ['test/**/*.test.ts'], exclude: [...built, ...onOtherPrograms] }),
        // Needs the build or a compiler, and transforms no sources of the package.
        project('package', { include: built, ...patient }),
        project('examples', { include: ['examples/*/test/**/*.test.ts'], exclude: onOtherPrograms, ...patient }),
        // Needs MongoDB, Redis, or a browser. There is one `mongod` for all files, each of which has a database of its own, and one for each file that
        // breaks it. Redis servers are there in milliseconds.
        project('mongodb', { include: onOtherPrograms, globalSetup: ['test/support/mongod.ts'], ...patient }),
      ],
      coverage: {
        provider: 'v8',
        reportOnFailure: true,
        // Each pattern is compiled anew for each file that a test has loaded, so this is one.
        include: ['{src,client,decorators,adapters,testing}/**/*.ts'],
        exclude: ['dist/**', 'examples/**', 'cli/**', 'test/**'],
        // A table of all files would hide what failed, which is told before it.
        reporter: ['text-summary', 'json-summary'],
        thresholds: { lines: 95, branches: 95 },
      },
    },
  };
});
