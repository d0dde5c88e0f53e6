import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import { parseCookie, stringifyCookie, stringifySetCookie } from 'cookie';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redactUrl } from '../../src/handshake.js';
import { authorization, cookie, cookieValues, offeredSubprotocols, query, subprotocol } from '../../src/identity/credentials.js';
import { originRule } from '../../src/origin.js';
import { ResponseHeaders } from '../../src/response-headers.js';
import { fakeRequest } from '../../testing/fake-request.js';
import { unicodeText } from '../support/unicode-text.js';

const inherited = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];
const httpName = fc.oneof(
  fc.constantFrom(...inherited, 'key', 'Key', '$Version', 'a', 'b'),
  fc.string({ unit: fc.constantFrom(...'abKey019!#$%&*+-.^_`|~'), minLength: 1, maxLength: 8 }),
);
const key = fc.string({ unit: fc.constantFrom(...'abcXYZ0189._~+/=-'), minLength: 16, maxLength: 60 });
const anyText = fc.oneof(unicodeText(300), fc.string({ unit: 'grapheme', maxLength: 300 }));

/** `text` without halves of characters, which cannot be written as UTF-8. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** What every object of the process inherits. */
function prototypes(): string {
  return [Object, Array, String, Function, Map].map(({ prototype }) => Reflect.ownKeys(prototype).map(String).join()).join('\n');
}

let before = '';
beforeEach(() => {
  before = prototypes();
});
afterEach(() => {
  expect(prototypes(), 'nothing may be polluted').toBe(before);
  expect(({} as { admin?: unknown }).admin).toBe(undefined);
});

describe('cookies', () => {
  it('that `cookie` writes are found under their names, and no others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(httpName, key), { selector: ([name]) => name, maxLength: 6 }), httpName, (pairs, wanted) => {
        const jar: Record<string, string> = Object.assign(Object.create(null), Object.fromEntries(pairs));
        for (const [name, value] of pairs) Object.defineProperty(jar, name, { value, enumerable: true });
        const header = stringifyCookie(jar);
        const [, value] = pairs.find(([name]) => name === wanted) ?? [];
        expect(cookie(wanted).find(fakeRequest({ headers: { cookie: header } }))).toEqual(
          value === undefined ? { kind: 'missing' } : { kind: 'key', key: value },
        );
        expect(cookieValues(header, wanted)[0]).toBe(parseCookie(header)[wanted]);
      }),
    );
  });

  it('have the value that `cookie` parses, whatever is in the header', () => {
    const part = fc.oneof(
      anyText,
      fc.tuple(httpName, anyText).map(([name, value]) => `${name}=${value}`),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), httpName, (parts, wanted) => {
        const header = parts.join(';');
        const parsed = parseCookie(header);
        const values = cookieValues(header, wanted);
        expect(values[0]).toBe(Object.hasOwn(parsed, wanted) ? parsed[wanted] : undefined);
      }),
      { numRuns: 400 },
    );
  });

  it('go with the answer as `cookie` writes them', () => {
    fc.assert(
      fc.property(httpName, anyText, (name, value) => {
        const headers = new ResponseHeaders();
        const line = stringifySetCookie(name, wellFormed(value), { httpOnly: true, path: '/' });
        headers.append('Set-Cookie', line);
        expect(headers.getSetCookie()).toEqual([line]);
      }),
    );
  });
});

describe('headers of the answer', () => {
  it('are such as Node would send, on one line each, or a TypeError', () => {
    fc.assert(
      fc.property(fc.oneof(httpName, anyText), fc.oneof(anyText, fc.string()), (name, value) => {
        const headers = new ResponseHeaders();
        try {
          headers.set(name, value);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          expect(headers.takeLines()).toEqual([]);
          return;
        }
        validateHeaderName(name);
        validateHeaderValue(name, value);
        const lines = headers.takeLines();
        expect(lines).toEqual([`${name}: ${value}`]);
        expect(lines[0]).not.toMatch(/[\r\n\0]/);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the places of a key', () => {
  it('have it where a client writes it as the standards say', () => {
    fc.assert(
      fc.property(key, fc.constantFrom('Bearer', 'bearer', 'TOKEN', 'Token'), (value, scheme) => {
        const expected = { kind: 'key', key: value };
        const search = new URLSearchParams({ before: '1', token: value, after: '&' });
        expect(query('token').find(fakeRequest({ url: `/chat?${search.toString()}` }))).toEqual(expected);
        expect(authorization().find(fakeRequest({ headers: { authorization: `${scheme} ${value}` } }))).toEqual(expected);
        const offers = { 'sec-websocket-protocol': `chat, t.${value}` };
        expect(subprotocol('t.').find(fakeRequest({ headers: offers }))).toEqual(expected);
      }),
    );
  });

  it('are read as URLSearchParams reads a query, and struck out of the URL that is kept', () => {
    const name = fc.constantFrom('token', 'Token', 'to%6Ben', '%74oken', 'other', '__proto__');
    const pairs = fc.array(
      fc.tuple(
        name,
        fc.oneof(
          key,
          anyText.map((text) => encodeURIComponent(wellFormed(text))),
        ),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(pairs, (given) => {
        const search = given.map(([each, value]) => `${each}=${value}`).join('&');
        const values = new URLSearchParams(search).getAll('token');
        const found = query('token').find(fakeRequest({ url: `/?${search}` }));
        expect(found.kind === 'missing').toBe(values.length === 0);
        if (found.kind === 'key') expect(new Set(values)).toEqual(new Set([found.key]));
        const kept = new URLSearchParams(redactUrl(`/?${search}`, new Set(['token'])).slice(2));
        expect(new Set(kept.getAll('token'))).toEqual(new Set(values.length === 0 ? [] : ['***']));
        expect(kept.getAll('other')).toEqual(new URLSearchParams(search).getAll('other'));
      }),
    );
  });

  it('offer no subprotocol that is empty, or was not sent', () => {
    fc.assert(
      fc.property(anyText, (header) => {
        for (const offer of offeredSubprotocols(fakeRequest({ headers: { 'sec-websocket-protocol': header } }))) {
          expect(offer).not.toBe('');
          expect(header).toContain(offer);
          expect(offer).not.toContain(',');
        }
      }),
    );
  });
});

describe('the origin rule', () => {
  const host = fc.constantFrom(
    'app.example.com',
    'APP.example.com',
    'example.com',
    'localhost',
    '127.0.0.1',
    '[::1]',
    'xn--bcher-kva.example',
  );
  const port = fc.constantFrom('', ':80', ':443', ':8080', ':8443');
  const scheme = fc.constantFrom('http', 'https');

  it('is that of URL, where Origin and Host are valid: the same host and port, read by the scheme of the Origin', () => {
    fc.assert(
      fc.property(scheme, host, port, host, port, fc.boolean(), (page, from, fromPort, to, toPort, encrypted) => {
        const request = { headers: { origin: `${page}://${from}${fromPort}`, host: `${to}${toPort}` }, socket: { encrypted } };
        const isSame = new URL(`${page}://${from}${fromPort}`).host === new URL(`${page}://${to}${toPort}`).host;
        const isAllowed = originRule({})(request as unknown as IncomingMessage);
        expect(isAllowed).toBe(isSame && !(encrypted && page === 'http'));
      }),
      { numRuns: 1_000 },
    );
  });

  it('lets a listed origin in just where URL takes the two for one', () => {
    fc.assert(
      fc.property(scheme, host, port, scheme, host, port, (page, from, fromPort, listedScheme, listedHost, listedPort) => {
        const origin = `${page}://${from}${fromPort}`;
        const listed = `${listedScheme}://${listedHost}${listedPort}`;
        const request = { headers: { origin, host: 'elsewhere.example' }, socket: {} };
        const isAllowed = originRule({ origins: [listed] })(request as unknown as IncomingMessage);
        expect(isAllowed).toBe(new URL(origin).origin === new URL(listed).origin);
      }),
      { numRuns: 1_000 },
    );
  });
});
