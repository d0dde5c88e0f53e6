import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportsOf, membersOf, textOf, wrappers } from './exports.js';

const points = Object.keys(JSON.parse(textOf('package.json')).exports as object).filter((point) => point !== './package.json');
const entries = points.map((point) => [point.replace('.', 'ws-with'), `entries/${point === '.' ? 'index' : point.slice(2)}.ts`] as const);
const [readme, wrappersPage, optionsPage] = ['README.md', 'docs/wrappers.md', 'docs/options.md'].map(textOf) as [string, string, string];

/** The first cells of the rows of all tables of a page, and its headings. */
const rowsOf = (page: string): string[] => [...page.matchAll(/^\|([^|]*)\|/gm)].map(([, cell = '']) => cell);
const headingsOf = (page: string): string[] => [...page.matchAll(/^##+ (.*)$/gm)].map(([, heading = '']) => heading);
const names = (texts: readonly string[], name: string): boolean => texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
const sectionOf = (page: string, heading: string): string => page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';

describe('each wrapper', () => {
  it('has a row in a table of the README', () => {
    expect(wrappers.filter((name) => !names(rowsOf(readme), name))).toEqual([]);
  });

  it('has a row in the table of docs/wrappers.md', () => {
    expect(wrappers.filter((name) => !names(rowsOf(wrappersPage), name))).toEqual([]);
  });

  it('has a section of docs/wrappers.md', () => {
    expect(wrappers.filter((name) => !names(headingsOf(wrappersPage), name))).toEqual([]);
  });

  it('has a type fixture that compiles', () => {
    const folder = 'test/types/fixtures/positive';
    const fixtures = readdirSync(new URL(`../../${folder}`, import.meta.url)).filter((file) => file.endsWith('.ts'));
    const texts = fixtures.map((file) => textOf(`${folder}/${file}`));
    expect(wrappers.filter((name) => !names(texts, name))).toEqual([]);
  });
});

describe.each(entries)('%s', (specifier, entry) => {
  it('has each name that it exports in a row of docs/exports.md, and no other', () => {
    const rows = rowsOf(sectionOf(textOf('docs/exports.md'), specifier)).flatMap((cell) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    const exported = exportsOf(entry).map(({ name }) => name);
    expect({ missing: exported.filter((name) => !rows.includes(name)), gone: rows.filter((name) => !exported.includes(name)) }).toEqual({
      missing: [],
      gone: [],
    });
    expect(rows).toHaveLength(new Set(rows).size);
  });

  it('has a line in the README', () => {
    expect(names([readme], specifier)).toBe(true);
  });
});

it('each option of an exported interface is named by a page of docs/', () => {
  const pages = readdirSync(new URL('../../docs', import.meta.url)).filter((file) => file.endsWith('.md') && file !== 'exports.md');
  const named = new Set(
    pages.flatMap((file) => [...textOf(`docs/${file}`).matchAll(/`[^`\n]+`/g)].flatMap(([code]) => code.match(/\w+/g))),
  );
  const interfaces = entries.flatMap(([, entry]) => exportsOf(entry)).filter(({ name }) => /^(?!No).*Options$/.test(name));
  const options = interfaces.flatMap((each) => membersOf(each).map((member) => [each.name, member] as const));
  expect(options.filter(([, member]) => !named.has(member)).map((option) => option.join('.'))).toEqual([]);
});

it('each option of a server, and of what it is used with, has a row in docs/options.md or docs/wrappers.md', () => {
  const interfaces = ['ChannelServerOptions', 'UpgradeOptions', 'CloseOptions', 'ChannelSessionOptions', 'IdentifyOptions', 'TokenOptions'];
  const exported = exportsOf('entries/index.ts').filter(({ name }) => interfaces.includes(name));
  expect(exported).toHaveLength(interfaces.length);
  const table = `${optionsPage}${wrappersPage}`.split('\n').filter((line) => line.startsWith('|'));
  const options = exported.flatMap((each) => membersOf(each).map((member) => [each.name, member] as const));
  expect(options.length).toBeGreaterThan(20);
  expect(options.filter(([, member]) => !names(table, `${member}`))).toEqual([]);
});
