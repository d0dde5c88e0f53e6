import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../../../entries/testing.js';
import {
  authorization,
  type CredentialSource,
  checkedCredentialSources,
  cookie,
  cookieValues,
  findCredential,
  offeredSubprotocols,
  query,
  subprotocol,
} from '../../../src/identity/credentials.js';
import { fakeRequest } from '../../../testing/fake-request.js';
import { aliceKey, bobKey, thrownBy } from '../../support/site.js';
import { unicodeText } from '../../support/unicode-text.js';

type Handshake = Pick<ConnectOptions, 'headers' | 'url' | 'protocols'>;

/** What `source` finds: the key, or why there is none. */
function found(source: CredentialSource, handshake: Handshake): string {
  const result = source.find(fakeRequest(handshake));
  return result.kind === 'key' ? result.key : result.kind;
}

const inCookie = (header: string, name?: string): string => found(cookie(name), { headers: { cookie: header } });
const inAuthorization = (header: string, ...schemes: string[]): string =>
  found(authorization(...schemes), { headers: { authorization: header } });
const inProtocols = (...protocols: string[]): string => found(subprotocol('token.'), { protocols });
const inQuery = (url: string): string => found(query('token'), { url });

describe('cookie', () => {
  it.each([
    [`key=${aliceKey}`],
    [`key=${aliceKey};`],
    [` key=${aliceKey} ; `],
    [`a=1; key=${aliceKey}; b=2`],
    [`a=1;key=${aliceKey};b=2`],
    [`key; key=${aliceKey}`],
    [`key=${aliceKey}; key=${aliceKey}`],
    [`key=%34${aliceKey.slice(1)}`],
    [`__proto__=1; key=${aliceKey}`],
  ])('finds the key in %j', (header) => {
    expect(inCookie(header)).toBe(aliceKey);
  });

  it.each([
    ['', 'nothing at all'],
    ['monkey=1; session_key=2', 'names that end like it'],
    [`monkey=${aliceKey}; session_key=${aliceKey}`, 'names that end like it, with a key'],
    [`key2=${aliceKey}`, 'a name that begins like it'],
    [`Key=${aliceKey}`, 'another case'],
    ['key', 'a part without ='],
    [`x=key=${aliceKey}`, 'the value of another cookie'],
    [`"key"=${aliceKey}`, 'a quoted name'],
    [`__proto__=${aliceKey}; constructor=${aliceKey}; toString=${aliceKey}`, 'inherited names'],
  ])('does not find one in %j: %s', (header) => {
    expect(inCookie(header)).toBe('missing');
  });

  it.each([
    ['key=', 'an empty value'],
    ['key=%E0%A4%A', 'what does not decode'],
    ['key=%00', 'a NUL'],
    [`key=${aliceKey}%00`, 'a key and a NUL'],
    [`key=${aliceKey.slice(0, 15)}`, 'too short a value'],
    [`key=${'a'.repeat(513)}`, 'too long a value'],
    [`key=${aliceKey}%F0%9F%94%91`, 'an emoji'],
    [`key=${aliceKey}🔑`, 'an emoji that is not encoded'],
    [`key=${aliceKey}; key=${bobKey}`, 'two different keys'],
    [`key=${aliceKey}; key=`, 'a key and an empty one'],
    [`key=a; key=b`, 'two values that are no keys'],
    ['key={"$gt":""}', 'an operator'],
  ])('calls %j malformed: %s', (header) => {
    expect(inCookie(header)).toBe('malformed');
  });

  it.each(['__proto__', 'constructor', 'toString', 'auth-token'])('takes the name %s as it takes any other', (name) => {
    expect(inCookie(`${name}=${aliceKey}`, name)).toBe(aliceKey);
    expect(inCookie(`other=${aliceKey}`, name)).toBe('missing');
    expect(inCookie('', name)).toBe('missing');
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('is missing where there is no header', () => {
    expect(found(cookie(), {})).toBe('missing');
    expect(cookieValues(undefined, 'key')).toEqual([]);
  });

  it.each(['\u00a0', '\u0085', '\ufeff', '\u2000', '\f', '"', '='])(
    'is of another name with %j beside its own, which browsers hold to nothing',
    (odd) => {
      expect(cookieValues(`a=1; ${odd}__Host-key=${aliceKey}`, '__Host-key')).toEqual([]);
      expect(inCookie(`__Host-key${odd}=${aliceKey}`, '__Host-key')).not.toBe(aliceKey);
    },
  );

  it.each(['k;', 'k=;', 'key;', 'key=;', 'xkey=;', '=;', 'key'])(
    'is looked for once through the header, whatever stands there: %j',
    (unit) => {
      const header = `${unit.repeat(16_000 / unit.length)}; key=${aliceKey}`;
      let looked = 0;
      const search = (method: 'indexOf' | 'lastIndexOf'): void => {
        const searchFor = String.prototype[method];
        vi.spyOn(String.prototype, method).mockImplementation(function (this: string, text, from = method === 'indexOf' ? 0 : this.length) {
          const found = searchFor.call(this, text, from);
          const end = method === 'indexOf' ? this.length : -1;
          looked += Math.abs(from - (found < 0 ? end : found));
          return found;
        });
      };
      search('indexOf');
      search('lastIndexOf');
      const values = cookieValues(header, 'key');
      vi.restoreAllMocks();
      expect(values.at(-1)).toBe(aliceKey);
      expect(looked).toBeLessThan(20 * header.length);
    },
  );

  it('is decoded alone, however much stands in cookies whose names contain its own', () => {
    const decode = vi.spyOn(globalThis, 'decodeURIComponent');
    const values = cookieValues(`${'akey=%zz; keys=%zz; a=key%zz; '.repeat(100)}key=a%20b`, 'key');
    const decoded = decode.mock.calls.map(([text]) => text);
    vi.restoreAllMocks();
    expect([values, decoded]).toEqual([['a b'], ['a%20b']]);
  });
});

describe('authorization', () => {
  it('is what the application has put in the place of what was sent', () => {
    const request = fakeRequest({ headers: { authorization: `Bearer ${aliceKey}` } });
    request.rawHeaders = ['Host', '127.0.0.1', 'Authorization', 'Basic YTpi', 'X-Key', aliceKey];
    expect(authorization().find(request)).toMatchObject({ kind: 'key', key: aliceKey });
    const bare = { headers: request.headers } as typeof request;
    expect(authorization().find(bare)).toMatchObject({ kind: 'key', key: aliceKey });
  });

  it.each([
    ['the same key twice', [`Bearer ${aliceKey}`, `Bearer ${aliceKey} `], aliceKey],
    ['two keys', [`Bearer ${aliceKey}`, `Bearer ${bobKey}`], 'malformed'],
    ['a key and another scheme', [`Bearer ${aliceKey}`, 'Basic YTpi'], 'malformed'],
  ])('is one header: %s in several is what it is', (_what, values, outcome) => {
    const request = fakeRequest({ headers: { authorization: values[0] as string } });
    request.rawHeaders = ['Host', '127.0.0.1', ...values.flatMap((value) => ['AUTHORIZATION', value])];
    const result = authorization().find(request);
    expect(result.kind === 'key' ? result.key : result.kind).toBe(outcome);
  });

  it.each([`Bearer ${aliceKey}`, `Token ${aliceKey}`, `bearer ${aliceKey}`, `TOKEN   ${aliceKey}`, `  Bearer ${aliceKey}  `])(
    'finds the key in %j',
    (header) => {
      expect(inAuthorization(header)).toBe(aliceKey);
    },
  );

  it.each(['', 'Token', 'Token ', `Token ${aliceKey} b`, `Basic ${aliceKey}`, aliceKey, `Token,${aliceKey}`, `Token=${aliceKey}`])(
    'finds nothing in %j',
    (header) => {
      expect(inAuthorization(header)).toBe('missing');
    },
  );

  it('calls a value that is no key malformed', () => {
    expect(inAuthorization('Bearer short')).toBe('malformed');
    expect(inAuthorization(`Bearer ${aliceKey}🔑`)).toBe('malformed');
  });

  it('takes the schemes that it is given and no other', () => {
    expect(inAuthorization(`ApiKey ${aliceKey}`, 'ApiKey')).toBe(aliceKey);
    expect(inAuthorization(`Bearer ${aliceKey}`, 'ApiKey')).toBe('missing');
  });
});

describe('subprotocol', () => {
  it('finds the key behind the prefix, beside a real protocol', () => {
    expect(inProtocols('chat', `token.${aliceKey}`)).toBe(aliceKey);
    expect(inProtocols(`token.${aliceKey}`, `token.${aliceKey}`)).toBe(aliceKey);
  });

  it('finds nothing in other protocols, and calls two keys or none behind the prefix malformed', () => {
    expect(inProtocols('chat', `mytoken.${aliceKey}`)).toBe('missing');
    expect(inProtocols()).toBe('missing');
    expect(inProtocols('token.')).toBe('malformed');
    expect(inProtocols(`token.${aliceKey}`, `token.${bobKey}`)).toBe('malformed');
  });

  it('reads offers however they are spaced', () => {
    expect(offeredSubprotocols(fakeRequest({ headers: { 'sec-websocket-protocol': ' a ,b,, c' } }))).toEqual(['a', 'b', 'c']);
  });
});

describe('query', () => {
  it.each([`/?token=${aliceKey}`, `/a?x=1&token=${aliceKey}`, `/?%74oken=${aliceKey}`, `/?token=${aliceKey}&token=${aliceKey}`])(
    'finds the key in %s',
    (url) => {
      expect(inQuery(url)).toBe(aliceKey);
    },
  );

  it.each(['/', '/?', '/?token[$gt]=', `/?token[$gt]=${aliceKey}`, `/?token[]=${aliceKey}`, `/token=${aliceKey}`, `/?x=token=${aliceKey}`])(
    'finds nothing in %s',
    (url) => {
      expect(inQuery(url)).toBe('missing');
    },
  );

  it.each(['/?token', '/?token=', '/?token=%E0%A4%A', '/?token=%00', `/?token=${aliceKey}&token=${bobKey}`, `/?token=${aliceKey}#x`])(
    'calls %s malformed',
    (url) => {
      expect(inQuery(url)).toBe('malformed');
    },
  );
});

it('a path is no query, whatever parameter is looked for', () => {
  expect(found(query('/token'), { url: `/token=${aliceKey}` })).toBe('missing');
  expect(found(query('/token'), { url: `/chat?/token=${aliceKey}` })).toBe(aliceKey);
});

describe('several places', () => {
  const from = [cookie(), authorization(), query('token')];
  const first = (handshake: Handshake) => {
    const { presented, place } = findCredential(fakeRequest(handshake), from);
    return [presented.kind === 'key' ? presented.key : presented.kind, place?.carrier];
  };

  it('are asked in order, and the first that holds a key is used', () => {
    expect(first({ headers: { cookie: `key=${aliceKey}`, authorization: `Bearer ${bobKey}` } })).toEqual([aliceKey, 'cookie']);
    expect(first({ headers: { authorization: `Bearer ${bobKey}` }, url: `/?token=${aliceKey}` })).toEqual([bobKey, 'authorization']);
  });

  it.each(['Token', 'Token a b', 'Basic dXNlcjpwYXNz'])('go on to the next where Authorization is %j', (header) => {
    expect(first({ headers: { authorization: header }, url: `/?token=${aliceKey}` })).toEqual([aliceKey, 'query']);
  });

  it('are malformed where the first that held anything held no key, and none held one', () => {
    expect(first({ headers: { cookie: 'key=', authorization: 'Bearer x' } })).toEqual(['malformed', 'cookie']);
    expect(first({ headers: { cookie: 'key=', authorization: `Bearer ${bobKey}` } })).toEqual([bobKey, 'authorization']);
    expect(first({})).toEqual(['missing', undefined]);
  });
});

describe('whatever a client sends', () => {
  const anyText = fc.oneof(
    unicodeText(600),
    fc.string({ unit: fc.constantFrom('key', 'token.', '=', ';', '%', ' ', '"', ',', '&', '?', 'a', '4', aliceKey) }),
  );
  const sources = [cookie(), cookie('__proto__'), authorization(), subprotocol('token.'), query('token')];

  /** All the forms in which a header says what it says. */
  function said(header: string): string {
    const decoded = header
      .split(/[;&]/)
      .map((part) => {
        try {
          return decodeURIComponent(part);
        } catch {
          return part;
        }
      })
      .join('\n');
    return `${header}\n${decoded}\n${decoded.replaceAll('+', ' ')}\n${[...new URLSearchParams(header).values()].join('\n')}`;
  }

  it('nothing throws, and no key is found that is not in the header', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const headers = { cookie: text, authorization: text, 'sec-websocket-protocol': text };
        for (const source of sources) {
          const result = source.find(fakeRequest({ headers, url: `/?${text}` }));
          if (result.kind === 'key') expect(said(text)).toContain(result.key);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a cookie is found under its exact name only', () => {
    const name = fc.string({ unit: fc.constantFrom('k', 'e', 'y', 'K', '_', '-', '.', '2'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const header = names.map((each) => `${each}=${aliceKey}`).join('; ');
        expect(inCookie(header)).toBe(names.includes('key') ? aliceKey : 'missing');
      }),
    );
  });
});

describe('the makers of sources', () => {
  it.each<[string, () => unknown]>([
    ['cookie', () => cookie('a b')],
    ['cookie', () => cookie('')],
    ['cookie', () => cookie(1 as unknown as string)],
    ['authorization', () => authorization('Bearer', 'a,b')],
    ['subprotocol', () => subprotocol('')],
    ['subprotocol', () => (subprotocol as () => unknown)()],
    ['query', () => query('a&b')],
    ['query', () => (query as () => unknown)()],
  ])('%s throws a TypeError that names it for a name that cannot be', (name, make) => {
    const error = thrownBy(make);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(name);
  });

  it('make frozen sources', () => {
    for (const source of [cookie(), authorization(), subprotocol('t.'), query('t')]) expect(Object.isFrozen(source)).toBe(true);
  });

  it.each([[null], ['key'], [[cookie(), 'key']], [[[cookie()]]], [[]], [{}]])(
    'a list with %j is a TypeError that names the option',
    (from) => {
      const error = thrownBy(() => checkedCredentialSources('withUserFromToken', from));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/withUserFromToken.*from/);
    },
  );

  it('copy the list that they are given', () => {
    const list = [cookie()];
    const checked = checkedCredentialSources('withUserFromToken', list);
    list.push(query('token'));
    expect(checked).toHaveLength(1);
  });
});
