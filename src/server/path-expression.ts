import type { Fail } from './path-pattern-parts.js';

/** What is to be matched: a regular expression, as a tree. */
export type Expression =
  | { readonly kind: 'character'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly of: Expression; readonly min: number; readonly max: number; readonly isLazy: boolean }
  | { readonly kind: 'group'; readonly of: Expression; readonly index: number }
  | { readonly kind: 'assertion'; readonly holds: (characters: readonly string[], position: number) => boolean }
  | { readonly kind: 'look'; readonly of: Expression; readonly isBehind: boolean; readonly isNegated: boolean };

/** `text` as it stands. */
export function textExpression(text: string): Expression {
  return { kind: 'sequence', items: Array.from(text, (one) => ({ kind: 'character', accepts: (character) => character === one })) };
}

const looks = new Map([
  ['(?=', { isBehind: false, isNegated: false }],
  ['(?!', { isBehind: false, isNegated: true }],
  ['(?<=', { isBehind: true, isNegated: false }],
  ['(?<!', { isBehind: true, isNegated: true }],
]);
const isWord = (character: string | undefined): boolean => character !== undefined && /^\w$/.test(character);
const isAtBoundary = (characters: readonly string[], position: number): boolean =>
  isWord(characters[position - 1]) !== isWord(characters[position]);

const assertions = new Map<string, Extract<Expression, { readonly kind: 'assertion' }>['holds']>([
  ['^', (_, position) => position === 0],
  ['$', (characters, position) => position === characters.length],
  ['\\b', isAtBoundary],
  ['\\B', (characters, position) => !isAtBoundary(characters, position)],
]);

/** One character, as long as it is not the beginning of a class. */
const atom =
  /\\(?:u\{[^}]*\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|.)|./suy;
const quantifier = /(?:[*+?]|\{(\d+)(,?)(\d*)\})(\??)/uy;
/** Classes whose members may be longer than one character. */
const ofStrings = /\\q\{|\\p\{(?:Basic_Emoji|Emoji_Keycap_Sequence|RGI_\w+)\}/u;

/** Reads a regular expression that is known to be one, with the flag `v` and without groups that capture. */
class ExpressionReader {
  readonly #source: string;
  readonly #fail: (what: string) => never;
  #at = 0;

  constructor(source: string, fail: (what: string) => never) {
    this.#source = source;
    this.#fail = fail;
  }

  /** To its end, or to the parenthesis that closes it. */
  read(): Expression {
    const items = [this.#readSequence()];
    while (this.#take('|')) items.push(this.#readSequence());
    return items.length === 1 ? (items[0] as Expression) : { kind: 'choice', items };
  }

  #readSequence(): Expression {
    const items: Expression[] = [];
    while (this.#at < this.#source.length && !this.#isAt('|') && !this.#isAt(')')) items.push(this.#quantified(this.#readTerm()));
    return { kind: 'sequence', items };
  }

  #readTerm(): Expression {
    for (const [text, holds] of assertions) if (this.#take(text)) return { kind: 'assertion', holds };
    for (const [opening, how] of looks) if (this.#take(opening)) return { kind: 'look', of: this.#readToParenthesis(), ...how };
    if (this.#take('(?:')) return this.#readToParenthesis();
    if (this.#isAt('(')) return this.#fail('a group in a regular expression must be (?:…) or look around');
    const source = this.#takeCharacter();
    if (ofStrings.test(source)) return this.#fail('a class in a regular expression may hold single characters only');
    const expression = new RegExp(`^${source}$`, 'v');
    return { kind: 'character', accepts: (character) => expression.test(character) };
  }

  #readToParenthesis(): Expression {
    const expression = this.read();
    this.#take(')');
    return expression;
  }

  #quantified(of: Expression): Expression {
    quantifier.lastIndex = this.#at;
    const found = quantifier.exec(this.#source);
    if (found === null) return of;
    this.#at = quantifier.lastIndex;
    const [text, least, comma, upTo, lazy] = found;
    const isLazy = lazy === '?';
    if (least === undefined) {
      return { kind: 'repeat', of, min: text.startsWith('+') ? 1 : 0, max: text.startsWith('?') ? 1 : Number.POSITIVE_INFINITY, isLazy };
    }
    const most = upTo === '' ? Number.POSITIVE_INFINITY : Number(upTo);
    return { kind: 'repeat', of, min: Number(least), max: comma === '' ? Number(least) : most, isLazy };
  }

  /** One character, or a class of them, which may hold classes. */
  #takeCharacter(): string {
    const start = this.#at;
    let depth = 0;
    do {
      const [character] = this.#takeMatch(atom);
      if (character === '[') depth += 1;
      else if (character === ']') depth -= 1;
    } while (depth > 0);
    return this.#source.slice(start, this.#at);
  }

  #takeMatch(expression: RegExp): RegExpExecArray {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source) ?? this.#fail('a regular expression is none');
    this.#at = expression.lastIndex;
    return found;
  }

  #isAt(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#isAt(text)) return false;
    this.#at += text.length;
    return true;
  }
}

/** The tree of `source`, a regular expression that `position` of a pattern holds: it is known to be one, and to capture nothing. */
export function expressionOf(source: string, position: number, fail: Fail): Expression {
  return new ExpressionReader(source, (what) => fail(what, position)).read();
}
