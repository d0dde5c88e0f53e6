import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'cli/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/fixtures/**', 'examples/recipes/**'],
    globalSetup: ['test/support/mongod.ts'],
    // The examples import the package by its name: they get what is published, as Node loads it.
    server: { deps: { external: [/\/dist\//] } },
    // Type tests start a compiler, and machines with two cores are slow.
    testTimeout: 20_000,
    reporters: ['default', 'json'],
    outputFile: { json: 'out/test-results.json' },
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      include: ['src/**/*.ts', 'decorators/**/*.ts', 'adapters/**/*.ts', 'testing/**/*.ts'],
      exclude: ['dist/**', 'examples/**', 'cli/**', 'test/**'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
