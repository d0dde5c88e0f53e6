import { describe, expect, it } from 'vitest';
import { ParseError, SourceFile } from '../../src/migrate/source-file.js';
import { migrated, placesOf } from './fixtures.js';

/** What becomes of a text, and what is said of it. */
function token(text: string, name = 'chat.ts'): { text: string; places: string[] } {
  const result = migrated(name, text, 'token');
  return { text: result.text, places: placesOf(result) };
}

describe('what the codemod cannot decide', () => {
  it.each([
    [
      'an argument that is handler or options',
      "import { withUserFromHttp } from 'ws-with';\nexport default (x) => withUserFromHttp(x);",
      '2:23 undecided argument-unknown',
    ],
    [
      'arguments that are spread',
      "import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp(...rest);",
      '2:1 undecided argument-unknown',
    ],
    [
      'options that are spread',
      "import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp({ ...all })(() => {});",
      '2:1 undecided options-unknown',
    ],
    [
      'options with a name of run time',
      "import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp({ [name]: 1 })(() => {});",
      '2:1 undecided options-unknown',
    ],
    ['a member of the module with a name of run time', "import * as ws from 'ws-with';\nws[name](() => {});", '2:1 undecided namespace'],
    ['a module that is handed on', "const ws = require('ws-with');\nuse(ws);", '2:5 undecided namespace'],
    ['a promise of the module that is handed on', "use(import('ws-with'));", '1:5 undecided namespace'],
    [
      'sources in a list',
      "import { fromHttpSession } from 'ws-with';\nexport const sources = [fromHttpSession()];",
      '2:25 undecided source',
    ],
    ['all of the package, exported', "export * from 'ws-with';", '1:1 undecided export-all'],
  ])('stays as it was and is reported with its place: %s', (_, text, place) => {
    expect(token(text)).toEqual({ text, places: [place] });
  });

  it('keeps the import of what stays, beside that of what does not', () => {
    const { text } = token(
      "import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp(() => {});\nexport default (x) => withUserFromHttp(x);",
    );
    expect(text).toBe(
      "import { withUserFromHttp, withUserFromToken } from 'ws-with';\nwithUserFromToken(() => {});\nexport default (x) => withUserFromHttp(x);",
    );
  });

  it('is told of once, where a helper out of sight is handed the message', () => {
    const { places } = token(
      "import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp((message) => { log(message); log(message); });",
    );
    expect(places).toEqual(['2:37 look handler-not-seen']);
  });

  it('is not told of where the message is logged, or handed to a function in sight that does not read the session', () => {
    const { places } = token(
      "import { withUserFromHttp } from 'ws-with';\nconst f = (m) => m.text;\nwithUserFromHttp((message) => { console.log(message); f(message); });",
    );
    expect(places).toEqual([]);
  });
});

describe('a file', () => {
  it('that does not parse is an error with its place', () => {
    expect(() => new SourceFile('chat.ts', 'const a = 1;\n  const = 2;')).toThrow(
      expect.objectContaining({ constructor: ParseError, position: { line: 2, column: 9 } }),
    );
  });

  it.each([
    ['plain.js', 'const a = <p/>; return require("x");'],
    ['script.cjs', '#!/usr/bin/env node\nreturn 1;'],
    ['types.d.ts', 'declare module "ws-with" { interface Register {} }'],
    ['legacy.ts', 'class A { constructor(@inject() private readonly a: string) {} }'],
    ['generic.tsx', 'const f = <T,>(a: T): T => a!;'],
    ['accessors.ts', 'class A { accessor x = 1; static { using y = z; } }'],
  ])('of every dialect is read: %s', (name, text) => {
    expect(token(text, name)).toEqual({ text, places: [] });
  });

  it('with a byte order mark has columns without it', () => {
    expect(token("\ufeffexport * from 'ws-with';").places).toEqual(['1:1 undecided export-all']);
  });
});
