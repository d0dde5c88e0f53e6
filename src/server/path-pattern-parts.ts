/** A stretch of a path pattern: text as it stands, or a group with what it matches. */
export interface PatternPart {
  /** The group's name; `undefined` for text. */
  readonly name: string | undefined;
  /** What the group matches, as a regular expression; for text, the text itself. */
  readonly value: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly modifier: '' | '?' | '*' | '+';
  /** Where it stands in the pattern. */
  readonly position: number;
}

type Kind = 'char' | 'escaped' | 'name' | 'regexp' | '*' | 'modifier' | '{' | '}' | 'end';

interface Token {
  readonly kind: Kind;
  readonly value: string;
  readonly position: number;
}

/** Says what is wrong, and at which position of the pattern. */
export type Fail = (what: string, position: number) => never;

const namePattern = /[\p{ID_Start}$_][\p{ID_Continue}$_\u200c\u200d]*/uy;

/** Reads the regular expression whose parenthesis opens at `start`; gives the position after it. */
function endOfRegExp(text: string, start: number, fail: Fail): number {
  let depth = 1;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char > '\x7f') fail('a regular expression may hold ASCII only', at);
    if (char === '?' && at === start + 1) fail('a regular expression cannot begin with ?', at);
    if (char === '\\') at += 1;
    else if (char === ')') depth -= 1;
    else if (char === '(') {
      // what it captured would be taken for the next group
      if (!/^\(\?(?!<[^=!])/.test(text.slice(at, at + 4))) fail('a group in a regular expression must be (?:…)', at);
      depth += 1;
    }
    if (depth === 0) return at + 1;
  }
  return fail('a ( is never closed', start);
}

function checkRegExp(source: string, position: number, fail: Fail): void {
  if (source === '') fail('a regular expression is empty', position);
  try {
    new RegExp(source, 'v');
  } catch {
    fail('a regular expression is none', position);
  }
}

function tokensOf(text: string, fail: Fail): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const push = (kind: Kind, value: string, length: number): void => {
    tokens.push({ kind, value, position });
    position += length;
  };
  while (position < text.length) {
    const char = String.fromCodePoint(text.codePointAt(position) as number);
    if (char === '*' || char === '{' || char === '}') push(char, char, 1);
    else if (char === '+' || char === '?') push('modifier', char, 1);
    else if (char === '\\') {
      const escaped = text.codePointAt(position + 1);
      if (escaped === undefined) return fail('a \\ escapes nothing', position);
      const value = String.fromCodePoint(escaped);
      push('escaped', value, 1 + value.length);
    } else if (char === ':') {
      namePattern.lastIndex = position + 1;
      const [name] = namePattern.exec(text) ?? fail('a : must be followed by a name', position);
      push('name', name, 1 + name.length);
    } else if (char === '(') {
      const end = endOfRegExp(text, position, fail);
      const value = text.slice(position + 1, end - 1);
      checkRegExp(value, position, fail);
      push('regexp', value, end - position);
    } else push('char', char, char.length);
  }
  push('end', '', 0);
  return tokens;
}

/** Reads a pattern into its parts, as the pathname of a URLPattern is read (URL Pattern Standard, section 2.1). */
class PatternReader {
  readonly #tokens: readonly Token[];
  readonly #fail: Fail;
  readonly #parts: PatternPart[] = [];
  readonly #names = new Set<string>();
  #index = 0;
  #text = '';
  #nextNumber = 0;

  constructor(text: string, fail: Fail) {
    this.#tokens = tokensOf(text, fail);
    this.#fail = fail;
  }

  read(): readonly PatternPart[] {
    while (this.#peek().kind !== 'end') this.#readNext();
    this.#endText();
    return this.#parts;
  }

  #readNext(): void {
    const char = this.#take('char');
    const name = this.#take('name');
    const value = this.#takeValue(name);
    if (name !== undefined || value !== undefined) {
      if (char?.value !== '/') this.#text += char?.value ?? '';
      this.#addGroup(char?.value === '/' ? '/' : '', name, value, '');
      return;
    }
    const fixed = char ?? this.#take('escaped');
    if (fixed !== undefined) this.#text += fixed.value;
    else this.#readBraces();
  }

  #readBraces(): void {
    const open = this.#take('{');
    if (open === undefined) {
      const { value, position } = this.#peek();
      this.#fail(`${value} stands where nothing can be repeated or closed; write \\${value} for itself`, position);
    }
    const prefix = this.#takeText();
    const name = this.#take('name');
    const value = this.#takeValue(name);
    const suffix = this.#takeText();
    if (this.#take('}') === undefined) this.#fail('a { must be closed by }, and holds one group at most', this.#peek().position);
    this.#addGroup(prefix, name, value, suffix);
  }

  #addGroup(prefix: string, name: Token | undefined, value: Token | undefined, suffix: string): void {
    const modifier = (this.#take('modifier') ?? this.#take('*'))?.value as PatternPart['modifier'] | undefined;
    if (name === undefined && value === undefined) {
      if (modifier === undefined) {
        this.#text += prefix;
        return;
      }
      this.#endText();
      if (prefix !== '') this.#addText(prefix, modifier);
      return;
    }
    this.#endText();
    const given = name?.value ?? String(this.#nextNumber++);
    if (name !== undefined && this.#names.has(given)) this.#fail(`there are two groups ${given}`, name.position);
    this.#names.add(given);
    this.#parts.push({
      name: given,
      value: matchedBy(value),
      prefix: encodePath(prefix),
      suffix: encodePath(suffix),
      modifier: modifier ?? '',
      position: (value ?? name)?.position ?? 0,
    });
  }

  #endText(): void {
    if (this.#text !== '') this.#addText(this.#text, '');
    this.#text = '';
  }

  #addText(text: string, modifier: PatternPart['modifier']): void {
    this.#parts.push({ name: undefined, value: encodePath(text), prefix: '', suffix: '', modifier, position: 0 });
  }

  /** A regular expression, or where there is no name a `*`. */
  #takeValue(name: Token | undefined): Token | undefined {
    return this.#take('regexp') ?? (name === undefined ? this.#take('*') : undefined);
  }

  #takeText(): string {
    let text = '';
    for (;;) {
      const token = this.#take('char') ?? this.#take('escaped');
      if (token === undefined) return text;
      text += token.value;
    }
  }

  #peek(): Token {
    return this.#tokens[this.#index] as Token;
  }

  #take(kind: Kind): Token | undefined {
    const token = this.#peek();
    if (token.kind !== kind) return undefined;
    this.#index += 1;
    return token;
  }
}

/** The regular expression that a group matches, by its `*` or its own; else it is something within one segment of the path. */
function matchedBy(value: Token | undefined): string {
  if (value === undefined) return '[^\\/]+?';
  return value.kind === '*' ? '.*' : value.value;
}

/** Text of a path as it travels: what a URL cannot hold there is percent-encoded. */
function encodePath(text: string): string {
  return text.replace(/[^\x21\x24-\x3b\x3d\x40-\x5d\x5f\x61-\x7a\x7c\x7e]+/gu, (run) =>
    Buffer.from(run).toString('hex').toUpperCase().replaceAll(/../g, '%$&'),
  );
}

/** The parts of a path pattern, in order. */
export function partsOf(text: string, fail: Fail): readonly PatternPart[] {
  return new PatternReader(text, fail).read();
}
