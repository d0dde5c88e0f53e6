/**
 * What a terminal acts on rather than shows, or what makes text look like another: controls (ANSI escapes begin with one), marks that turn
 * the direction of writing, separators of lines, halves of characters. The two joiners that scripts and emoji need stay.
 */
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text on one line, what is unprintable as `\uXXXX`, so that JSON stays what it is. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) =>
    Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''),
  );
}
