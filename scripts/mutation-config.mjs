// The configuration of a mutation run: one project of the suite, its files in one process and in the order in which they are wanted.
// Of `mongodb`, those run that test the one adapter.
import suite from '../vitest.config.ts';

class AsWanted {
  shard = (files) => files;
  sort = (files) => files;
}

const { projects, server, testTimeout, hookTimeout, expect, restoreMocks } = suite({ mode: 'test' }).test;
const wanted = process.env.MUTATION_PROJECT;
const { test } = projects.find(({ test: { name } }) => name === (wanted === 'unit' ? 'unit' : 'mongodb'));
const own = wanted === 'unit' ? {} : { include: [`test/adapters/${wanted}/**/*.test.ts`] };

export default {
  test: {
    server,
    testTimeout,
    hookTimeout,
    expect,
    restoreMocks,
    ...test,
    ...own,
    // these are about files as they are written
    exclude: [...test.exclude, 'test/house/**', 'test/docs/links.test.ts', 'test/client/bundle.test.ts'],
    setupFiles: ['./scripts/mutation-switch.mjs'],
    sequence: { sequencer: AsWanted },
    maxWorkers: 1,
  },
};
