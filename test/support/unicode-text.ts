import fc from 'fast-check';

const firstSurrogate = 0xd800;
const surrogates = 0x800;

/**
 * Any character, as fast-check's `unit: 'binary'`, which takes each process seconds for a map of them all. That it tells the index of one
 * unit lets fast-check try names such as `__proto__`, too.
 */
const character = fc.nat(0x10ffff - surrogates).map(
  (index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  (text) => (String(text).length === 1 ? String(text).charCodeAt(0) : Number.NaN),
);

/** Any text without lone surrogates. */
export function unicodeText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: character, maxLength });
}
