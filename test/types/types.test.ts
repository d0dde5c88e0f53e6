import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  es2020: 'for a target of 2020, the declarations of every entry point checked too',
};
const negatives = ['negative', 'negative-legacy', 'negative-register', 'negative-session'];
const expectedFile = join(here, 'fixtures', 'expected.json');
const expected: Readonly<Record<string, readonly ExpectedComplaint[]>> = JSON.parse(readFileSync(expectedFile, 'utf8'));
/** `npm run test:types:update`: what the compiler says now is written down rather than compared. */
const isUpdate = process.env['UPDATE_TYPES'] === '1';
const found: Record<string, readonly ExpectedComplaint[]> = {};

/** What the compiler has written of the fixtures that an application would export. */
function declarations(): string[] {
  return ['dts', 'isolated'].flatMap((project) => {
    const folder = join(outputs, 'declarations', project);
    return readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  });
}

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
      // here the compiler can name any file of the package, in an application only what its entry points export
      expect(declarations().filter((declaration) => declaration.includes('/dist/'))).toEqual([]);
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

  it.each(misuses.map((misuse) => [misuse.label, misuse] as const))('%s', (_label, misuse) => {
    const own = complaints.filter((complaint) => isAbout(misuse, complaint));
    found[misuse.label] = own.map(summaryOf);
    expect(found[misuse.label]).not.toEqual([]);
    if (!isUpdate) expect(found[misuse.label]).toEqual(expected[misuse.label] ?? 'an entry in expected.json: npm run test:types:update');
  });

  it('nothing else is complained of', () => {
    expect(complaints.filter((complaint) => !misuses.some((misuse) => isAbout(misuse, complaint)))).toEqual([]);
  });
});

afterAll(() => {
  if (isUpdate) writeFileSync(expectedFile, `${JSON.stringify(found, undefined, 2)}\n`);
});

it('every expectation belongs to one misuse', () => {
  const labels = negatives.flatMap(misusesOf).map(({ label }) => label);
  expect(labels.toSorted()).toEqual(Object.keys(isUpdate ? found : expected).toSorted());
});
