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
    ['a module that is exported', "module.exports = require('ws-with');", '1:18 undecided namespace'],
    ['a module that becomes a member', "import * as ws from 'ws-with';\nthis.ws = ws;", '2:11 undecided namespace'],
    ['a name that is known at run time', "const { [name]: wrap } = require('ws-with');", '1:9 undecided namespace'],
    ['a name that becomes a member', "({ withUserFromHttp: chat.wrap } = require('ws-with'));", '1:4 undecided namespace'],
    ['what is left of the module, as a member', "({ ...chat.ws } = require('ws-with'));", '1:4 undecided namespace'],
    ['a promise of the module that is handed on', "use(import('ws-with'));", '1:5 undecided namespace'],
    [
      'sources in a list',
      "import { fromHttpSession } from 'ws-with';\nexport const sources = [fromHttpSession()];",
      '2:25 undecided source',
    ],
    ['all of the package, exported', "export * from 'ws-with';", '1:1 undecided export-all'],
    [
      'a name that is given another value',
      "let { withUserFromHttp } = require('ws-with'); withUserFromHttp = wrap(withUserFromHttp);",
      '1:7 undecided namespace',
    ],
    [
      'a name with a default',
      "const { withUserFromHttp = mine } = require('ws-with');\nwithUserFromHttp(() => {});",
      '1:9 undecided namespace',
    ],
    [
      'a session that is read by options out of sight',
      "import { fromHttpSession, fromToken, withUserFrom } from 'ws-with';\nwithUserFrom(fromToken(), fromHttpSession(all))((message) => message.httpSession);",
      '2:27 undecided reads-http-session',
    ],
  ])('stays as it was and is reported with its place: %s', (_, text, place) => {
    expect(token(text)).toEqual({ text, places: [place] });
  });

  it('is nothing where every object has the name: no name of the package is meant', () => {
    const text =
      "import * as ws from 'ws-with';\nlog(ws.toString(), ws.constructor, ws.valueOf, ws.__proto__);\nconst { hasOwnProperty: has } = ws;\nhas('x');";
    for (const target of ['token', 'dual'] as const) {
      const result = migrated('chat.ts', text, target);
      expect([result.text, placesOf(result)]).toEqual([text, []]);
    }
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

  it.each([
    ['function () { return arguments[0].httpSession; }', 39],
    ['function (message) { return log.apply(null, arguments); }', 62],
    ['function handle() { return () => log(...arguments); }', 58],
  ])('is told of where a handler hands its arguments on as a whole: %s', (handler, column) => {
    const { places } = token(`import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp(${handler});`);
    expect(places).toEqual([`2:${column} look handler-not-seen`]);
  });

  it.each([
    'function (message) { /* arguments */ return message.json().arguments; }',
    "function (message) { const { arguments: given } = message.json(); return f(given, 'arguments'); }",
    'function (message) { return f(message.text, function () { return arguments.length; }); }',
  ])('is not told of what has the name of the arguments: %s', (handler) => {
    const { places } = token(`import { withUserFromHttp } from 'ws-with';\nwithUserFromHttp(${handler});`);
    expect(places).toEqual([]);
  });

  it('is not told of where the message is logged, or handed to a function in sight that does not read the session', () => {
    const { places } = token(
      "import { withUserFromHttp } from 'ws-with';\nconst f = (m) => m.text;\nwithUserFromHttp((message) => { console.log(message); f(message); });",
    );
    expect(places).toEqual([]);
  });
});

describe('what the codemod sees', () => {
  const compiledTo = (code: string) =>
    token(`import { fromHttpSession, withUserFrom, withUserFromHttp } from 'ws-with';\n${code}`).text.split('\n').slice(1).join('\n');

  it.each([
    ['a bound method is a handler', 'withUserFromHttp(handler.bind(this));', 'withUserFromToken(handler.bind(this));'],
    [
      'a method of the class is a handler',
      'class A { c = withUserFromHttp(this.#read); #read(m) { this.log(m.httpSession); } }',
      'class A { c = compose(withUserFromToken, withHttpSession)(this.#read); #read(m) { this.log(m.httpSession); } }',
    ],
    ['options in a slot are options', 'x = { connect: withUserFromHttp({ users })(f) };', 'x = { connect: withUserFromToken()(f) };'],
    [
      'a member in a slot is a handler',
      'x = { connect: withUserFromHttp(this.connect) };',
      'x = { connect: withUserFromToken(this.connect) };',
    ],
    ['a date to end by is for sessions', 'withUserFromHttp({ until, revalidate })(f);', 'withUserFromToken({ revalidate })(f);'],
    ['a decorator in brackets stays in them', '@(withUserFromHttp) class A {}', '@(withUserFromToken) class A {}'],
    ['an optional call stays one', 'withUserFromHttp?.((m) => 1);', 'withUserFromToken?.((m) => 1);'],
    [
      'a constant of a constant is the same wrapper',
      'const a = withUserFromHttp, b = a; b((m) => m.httpSession);',
      'const a = compose(withUserFromToken, withHttpSession), b = a; b((m) => m.httpSession);',
    ],
    [
      "somebody else's compose is not ours",
      "import compose from 'lodash/fp/compose';\nwithUserFromHttp((m) => m.httpSession);",
      "import compose from 'lodash/fp/compose';\ncompose2(withUserFromToken, withHttpSession)((m) => m.httpSession);",
    ],
    [
      'its type is asked for where it is read',
      'withUserFromHttp((m) => { let id: typeof m.httpSession; });',
      'compose(withUserFromToken, withHttpSession)((m) => { let id: typeof m.httpSession; });',
    ],
    [
      'what is hoisted is seen',
      'withUserFromHttp(late);\nfunction late({ httpSession }) {}',
      'compose(withUserFromToken, withHttpSession)(late);\nfunction late({ httpSession }) {}',
    ],
  ])('%s', (_, before, after) => {
    expect(compiledTo(before)).toBe(after);
  });

  it.each([
    ['by its name', 'const all = compose(withUserFromHttp, other);\nall(read);'],
    ['by the name of a constant that holds it', 'const all = compose(withUserFromHttp, other), again = all;\nagain(read);'],
    ['within another one', 'const one = compose(withUserFromHttp, other), all = compose(one, other);\nall(read);'],
  ])('the handlers of what a constant composes are seen %s', (_, code) => {
    const text = `import { compose, withUserFromHttp } from 'ws-with';\nconst read = (m) => m.httpSession;\n${code}`;
    const { text: after, places } = token(text);
    expect(after).toContain('compose(withUserFromToken, withHttpSession, other)');
    expect(places).toEqual(['2:21 look reads-http-session']);
  });

  it('a constant that composes itself, which nobody can run, ends', () => {
    const text = "import { compose, withUserFromHttp } from 'ws-with';\nconst all = compose(withUserFromHttp, all);\nall(() => {});";
    expect(token(text).text).toContain('compose(withUserFromToken, all)');
  });

  it('the sources of what a constant composes are seen with its handlers', () => {
    const text =
      "import { compose, fromHttpSession, withUserFrom } from 'ws-with';\nconst all = compose(withUserFrom(fromHttpSession()), other);\nall((m) => m.httpSession);";
    expect(token(text).text).toContain('compose(withUserFromToken, withHttpSession, other)');
  });

  it.each([
    [
      'between an option and its comma',
      'withUserFromHttp({ sessions /* a, b */, users /* c */ })(f);',
      'withUserFromToken({ /* a, b */ /* c */ })(f);',
    ],
    [
      'between the last option that stays and its comma',
      "withUserFromHttp({ revalidate: 'connect' /* a */, users })(f);",
      "withUserFromToken({ revalidate: 'connect' /* a */ })(f);",
    ],
    ['between the options and a last comma', 'withUserFromHttp({ users } /* a */, )(f);', 'withUserFromToken(/* a */ )(f);'],
    [
      'within options of a source that are all dropped',
      'withUserFrom(fromHttpSession({ /* a */ sessions }))(f);',
      'withUserFromToken({ /* a */ })(f);',
    ],
    [
      'at the end of a line, before a comma on the next',
      'withUserFromHttp({\n  sessions // a, b\n  , users // c\n})(f);',
      'withUserFromToken({\n  // a, b\n   // c\n})(f);',
    ],
  ])('a comment stays that stands %s', (_, before, after) => {
    expect(compiledTo(before)).toBe(after);
  });

  it.each([
    ['token', 'withUserFromHttp(({ users }))(f);', 'withUserFromToken(({ }))(f);'],
    ['dual', 'withUserFromHttp(({ users }))(f);', 'withUserFrom(fromToken(), fromHttpSession(({ users })))(f);'],
    [
      'dual',
      'withUserFromHttp(/** @type {O} (a) */ ({ users }))(f);',
      'withUserFrom(fromToken(), fromHttpSession(/** @type {O} (a) */ ({ users })))(f);',
    ],
    ['dual', 'withUserFrom((fromHttpSession()))(f);', 'withUserFrom(fromToken(), (fromHttpSession()))(f);'],
    ['dual', 'withUserFrom(own(), /* ( */ fromHttpSession())(f);', 'withUserFrom(own(), /* ( */ fromToken(), fromHttpSession())(f);'],
    ['dual', '(withUserFromHttp)({ users })(f);', '(withUserFrom)(fromToken(), fromHttpSession({ users }))(f);'],
  ] as const)('parentheses of an argument are part of it: to %s, %s', (target, before, after) => {
    const text = `import { fromHttpSession, withUserFrom, withUserFromHttp } from 'ws-with';\n${before}`;
    expect(migrated('chat.js', text, target).text.split('\n').at(-1)).toBe(after);
  });

  it.each([
    [
      "const ws = require('ws-with'), { withHttpUser } = require('ws-with');\nconst { withUserFromHttp } = ws;",
      "const ws = require('ws-with'), { withUserFromToken: withUserFromToken2 } = require('ws-with');\nconst { withUserFromToken } = ws;",
    ],
    [
      "const { withHttpUser } = await import('ws-with');\nconst { withUserFromHttp } = await import('ws-with');",
      "const { withUserFromToken } = await import('ws-with');\nconst { withUserFromToken: withUserFromToken2 } = await import('ws-with');",
    ],
    [
      "const { withUserFromHttp } = require('ws-with'); withUserFromHttp(() => {});\nconst { withHttpUser, withUserFromToken } = require('ws-with'); withUserFromToken(() => {});",
      "const { withUserFromToken: withUserFromToken2 } = require('ws-with'); withUserFromToken2(() => {});\nconst { withUserFromToken } = require('ws-with'); withUserFromToken(() => {});",
    ],
  ])('a scope declares no name twice, and none before it is there: %s', (before, after) => {
    const { text } = token(`${before}\nwithHttpUser(() => {}); withUserFromHttp(() => {});`, 'chat.mjs');
    expect(text.startsWith(after)).toBe(true);
  });

  it.each([
    ['const require = createRequire(import.meta.url);\n', 'require'],
    ['const load = module.createRequire(import.meta.url);\n', 'load'],
    ['', 'createRequire(import.meta.url)'],
  ])('a require that createRequire has made is that of Node: %s%s(…)', (made, require) => {
    const { text } = token(`${made}const { withUserFromHttp } = ${require}('ws-with');\nwithUserFromHttp(() => {});`);
    expect(text).toBe(`${made}const { withUserFromToken } = ${require}('ws-with');\nwithUserFromToken(() => {});`);
  });

  it('a handler whose annotation asks for the HTTP session has it', () => {
    const handler =
      "import { withUserFromHttp, type Handler, type HasHttpSession } from 'ws-with';\nconst f: Handler<HasHttpSession> = () => {};\n";
    expect(token(`${handler}withUserFromHttp(f);`).text).toMatch(/\ncompose\(withUserFromToken, withHttpSession\)\(f\);$/);
  });

  it.each(['token', 'dual'] as const)('to %s, an alias of TypeScript in place of an expression stays code that parses', (target) => {
    const text = "import { withUserFromHttp } from 'ws-with';\nnamespace N { export import x = withUserFromHttp; }";
    expect(() => new SourceFile('chat.ts', migrated('chat.ts', text, target).text)).not.toThrow();
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
