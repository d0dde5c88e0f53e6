import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultOutcomes, privateCloseCodes } from '../../src/outcomes.js';
import { isCloseCode } from '../../src/status-codes.js';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

describe('the table of outcomes', () => {
  it.each(Object.entries(defaultOutcomes))('%s has a heading and a row in docs/errors.md', (code, { status, closeCode }) => {
    expect(page).toContain(`\n## ${code}\n`);
    expect(page).toContain(`| [\`${code}\`](#${code.toLowerCase()}) | ${status} | ${closeCode} |`);
  });

  it.each(Object.entries(defaultOutcomes))('%s can be sent', (_code, { status, closeCode, reason }) => {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThanOrEqual(599);
    expect(isCloseCode(closeCode)).toBe(true);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });

  it('docs/errors.md has no heading for a code that is none', () => {
    const headings = [...page.matchAll(/^## (ERR_\w+)$/gm)].map(([, code]) => code);
    expect(new Set(headings)).toEqual(new Set(Object.keys(defaultOutcomes)));
    expect(headings).toHaveLength(Object.keys(defaultOutcomes).length);
  });

  it('its preset of private close codes replaces 3000, 3003 and 3008 wherever they stand', () => {
    const preset = privateCloseCodes as Readonly<Record<string, { readonly closeCode?: number }>>;
    for (const [code, { closeCode }] of Object.entries(defaultOutcomes)) {
      const expected = { 3000: 4401, 3003: 4403, 3008: 4408 }[closeCode as number];
      if (code !== 'ERR_SUBPROTOCOL_UNGUARDED') expect([code, preset[code]?.closeCode]).toEqual([code, expected]);
    }
  });
});
