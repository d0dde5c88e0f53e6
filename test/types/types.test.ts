import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Complaint, compile, here, outputs } from './compiler.js';
import { type ExpectedComplaint, isAbout, misusesOf, summaryOf } from './misuse.js';

const timeout = 120_000;

/** Fixture projects that must compile, with what is particular about each. */
const positives = {
  positive: 'every call shape infers, with decorators of the standard dialect',
  legacy: 'decorators under experimentalDecorators, with metadata',
  register: 'the application names its user and its session',
  loose: 'without exactOptionalPropertyTypes and noUncheckedIndexedAccess',
  bundler: 'resolved as bundlers do, with the DOM beside',
  sloppy: 'without strict',
};
const negatives = ['negative', 'negative-legacy', 'negative-register', 'negative-session'];
const expected: Readonly<Record<string, readonly ExpectedComplaint[]>> = JSON.parse(
  readFileSync(join(here, 'fixtures', 'expected.json'), 'utf8'),
);

describe('what is used as documented compiles', () => {
  it.concurrent.each(Object.entries(positives))(
    '%s: %s',
    async (project, _what) => {
      expect(await compile(join('fixtures', project))).toEqual([]);
    },
    timeout,
  );

  it.concurrent(
    'declarations can be written of all that an application exports, and compile on their own',
    async () => {
      await rm(join(outputs, 'declarations'), { recursive: true, force: true });
      expect(await Promise.all(['dts', 'isolated'].map((project) => compile(join('fixtures', project))))).toEqual([[], []]);
      expect(await compile(join('fixtures', 'dts-check'))).toEqual([]);
    },
    timeout,
  );
});

describe.each(negatives)('what is misused does not compile: %s', (project) => {
  const misuses = misusesOf(project);
  let complaints: readonly Complaint[] = [];
  beforeAll(async () => {
    complaints = await compile(join('fixtures', project));
  }, timeout);

  it.each(misuses.map((misuse) => [misuse.label, misuse.what, misuse] as const))('%s: %s', (_label, _what, misuse) => {
    const own = complaints.filter((complaint) => isAbout(misuse, complaint));
    expect(own.map(summaryOf)).toEqual(expected[misuse.label] ?? 'an entry in expected.json');
  });

  it('nothing else is complained of', () => {
    expect(complaints.filter((complaint) => !misuses.some((misuse) => isAbout(misuse, complaint)))).toEqual([]);
  });
});

it('every expectation belongs to one misuse', () => {
  const labels = negatives.flatMap(misusesOf).map(({ label }) => label);
  expect(labels.toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const complaints of Object.values(expected)) expect(complaints).not.toEqual([]);
});
