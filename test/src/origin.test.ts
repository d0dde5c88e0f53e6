import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelServer, type ChannelServerOptions } from '../../entries/index.js';
import { connectTo, type HandshakeOptions } from '../../entries/testing.js';
import { lastEntry } from '../../src/handshake.js';
import { type OriginOptions, originMatcher, originRule } from '../../src/origin.js';
import { refusedOrigin } from '../../src/refused-origin.js';
import { codesOf, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';
import { unicodeText } from '../support/unicode-text.js';

expectProcessToLive();

interface Handshake {
  readonly origin?: string;
  readonly host?: string;
  readonly encrypted?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

function allowed(handshake: Handshake, options: OriginOptions = {}): boolean {
  const { origin, host = 'app.example.com', encrypted = false, headers = {} } = handshake;
  const request = { headers: { host, ...(origin !== undefined && { origin }), ...headers }, socket: { encrypted } };
  return originRule(options)(request as unknown as IncomingMessage);
}

describe('the origin rule of a server', () => {
  it('lets native clients pass, which send no Origin, unless requireOrigin is set', () => {
    expect(allowed({})).toBe(true);
    expect(allowed({}, { requireOrigin: true })).toBe(false);
  });

  it.each([
    ['the same origin', 'https://app.example.com', 'app.example.com'],
    ['upper case', 'HTTPS://App.Example.COM', 'app.example.com'],
    ['a Host in upper case', 'https://app.example.com', 'App.Example.com'],
    ['the default port written out', 'https://app.example.com:443', 'app.example.com'],
    ['the default port written out in Host', 'https://app.example.com', 'app.example.com:443'],
    ['plain http', 'http://app.example.com', 'app.example.com'],
    ['plain http with its port', 'http://app.example.com:80', 'app.example.com'],
    ['a port of its own', 'http://localhost:8080', 'localhost:8080'],
    ['IPv6', 'http://[::1]:8080', '[::1]:8080'],
    ['the URL that a native client opens', 'ws://app.example.com', 'app.example.com'],
    ['the same over TLS', 'wss://app.example.com', 'app.example.com'],
    ['the same with its port', 'WSS://app.example.com:8443', 'app.example.com:8443'],
  ])('lets %s pass', (_name, origin, host) => {
    expect(allowed({ origin, host })).toBe(true);
  });

  it('lets https pass where a proxy ends TLS and speaks http to us', () => {
    expect(allowed({ origin: 'https://app.example.com', encrypted: false })).toBe(true);
  });

  it('refuses http on a TLS socket', () => {
    expect(allowed({ origin: 'ws://app.example.com', encrypted: true })).toBe(false);
    expect(allowed({ origin: 'wss://app.example.com', encrypted: true })).toBe(true);
    expect(allowed({ origin: 'http://app.example.com', encrypted: true })).toBe(false);
    expect(allowed({ origin: 'http://app.example.com:443', encrypted: true })).toBe(false);
    expect(allowed({ origin: 'https://app.example.com', encrypted: true })).toBe(true);
  });

  it.each([
    'https://app.example.com.evil.com',
    'https://app.example.com@evil.com',
    'https://evil.com/app.example.com',
    'https://evilapp.example.com',
    'https://example.com',
    'https://app.example.com:8443',
    'http://app.example.com:443',
    'https://app.example.com.',
    'https://app.example.com/',
    'https://app.example.com, https://evil.com',
    'https://app.example.com https://app.example.com',
    ' https://app.example.com',
    'null',
    'file://',
    '',
    'app.example.com',
    '//app.example.com',
    'ws://app.example.com:8080',
    'wss://evil.com',
    'capacitor://app.example.com',
    'https://app.example.cöm',
    `https://${'a'.repeat(8_192)}.example.com`,
  ])('refuses %s', (origin) => {
    expect(allowed({ origin })).toBe(false);
  });

  it('reads a missing port by the scheme of the Origin', () => {
    expect(allowed({ origin: 'https://app.example.com', host: 'app.example.com:80' })).toBe(false);
    expect(allowed({ origin: 'http://app.example.com', host: 'app.example.com:443' })).toBe(false);
    expect(allowed({ origin: 'http://app.example.com', host: 'app.example.com:80' })).toBe(true);
  });

  it('refuses any Origin where Host is missing or no host', () => {
    expect(originRule({})({ headers: { origin: 'https://undefined' }, socket: {} } as unknown as IncomingMessage)).toBe(false);
    expect(allowed({ origin: 'https://app.example.com', host: 'app.example.com, evil.com' })).toBe(false);
  });

  it('compares listed origins by scheme, host and port, schemes of an application’s own included', () => {
    const options = { origins: ['capacitor://localhost', 'https://other.example.org:8443'] };
    expect(allowed({ origin: 'capacitor://localhost' }, options)).toBe(true);
    expect(allowed({ origin: 'https://other.example.org:8443' }, options)).toBe(true);
    expect(allowed({ origin: 'chrome-extension://x' }, options)).toBe(false);
    expect(allowed({ origin: 'ionic://localhost' }, options)).toBe(false);
    expect(allowed({ origin: 'https://other.example.org' }, options)).toBe(false);
    expect(allowed({ origin: 'null' }, options)).toBe(false);
  });

  it('compares ws and wss as http and https, in the header and in the lists', () => {
    for (const origins of [['wss://other.example.org'], ['https://other.example.org']]) {
      expect(allowed({ origin: 'https://other.example.org' }, { origins })).toBe(true);
      expect(allowed({ origin: 'wss://other.example.org:443' }, { origins })).toBe(true);
      expect(allowed({ origin: 'ws://other.example.org' }, { origins })).toBe(false);
    }
    expect(allowed({ origin: 'wss://a.example.org' }, { origins: ['https://*.example.org'] })).toBe(true);
    expect(allowed({ origin: 'wss://chat.example.com', host: 'backend' }, { publicOrigin: 'https://chat.example.com' })).toBe(true);
  });

  it.each(['null', 'file://', 'app://', 'file:///', 'content://com.example/page'])(
    'lets the opaque %s pass where it is listed, exactly',
    (origin) => {
      expect(allowed({ origin })).toBe(false);
      expect(allowed({ origin }, { origins: [origin] })).toBe(true);
      for (const other of [origin.toUpperCase(), `${origin}x`, `${origin}/`, ` ${origin}`, 'http://null', 'https://file']) {
        expect(allowed({ origin: other }, { origins: [origin] }), other).toBe(false);
      }
    },
  );

  it.each(['cross-site', 'same-site', 'SAME-ORIGIN', 'none, cross-site', ''])(
    'refuses a handshake without Origin that a browser sent (Sec-Fetch-Site: %s)',
    (site) => {
      expect(allowed({ headers: { 'sec-fetch-site': site } })).toBe(false);
      expect(allowed({ headers: { 'sec-fetch-site': site } }, { origins: ['null'] })).toBe(false);
    },
  );

  it('lets a handshake without Origin pass that a browser sent for the same origin or for nobody', () => {
    expect(allowed({ headers: { 'sec-fetch-site': 'same-origin' } })).toBe(true);
    expect(allowed({ headers: { 'sec-fetch-site': 'none' } })).toBe(true);
    expect(allowed({ headers: { 'sec-fetch-site': 'same-origin' } }, { requireOrigin: true })).toBe(false);
  });

  it('judges by the Origin where there is one, whatever Sec-Fetch-Site says', () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect(allowed({ origin: 'https://app.example.com', headers })).toBe(true);
    expect(allowed({ origin: 'https://other.example.org', headers }, { origins: ['https://other.example.org'] })).toBe(true);
  });

  it('still lets the own host pass beside listed ones', () => {
    expect(allowed({ origin: 'https://app.example.com' }, { origins: ['https://other.example.org'] })).toBe(true);
  });

  it('means whole labels by a wildcard', () => {
    const options = { origins: ['https://*.example.org'] };
    expect(allowed({ origin: 'https://a.example.org' }, options)).toBe(true);
    expect(allowed({ origin: 'https://a.b.example.org' }, options)).toBe(true);
    for (const origin of [
      'https://example.org',
      'https://.example.org',
      'https://a..example.org',
      'https://evilexample.org',
      'https://a.example.org.evil.com',
      'http://a.example.org',
      'https://a.example.org:8443',
    ]) {
      expect(allowed({ origin }, options), origin).toBe(false);
    }
  });

  it('means https and http by a listed host without a scheme', () => {
    const options = { origins: ['*.example.org'] };
    expect(allowed({ origin: 'https://a.example.org' }, options)).toBe(true);
    expect(allowed({ origin: 'http://a.example.org' }, options)).toBe(true);
    expect(allowed({ origin: 'capacitor://a.example.org' }, options)).toBe(false);
  });

  it('lets publicOrigin stand in for Host', () => {
    const behindProxy = { host: 'backend:3000' };
    for (const publicOrigin of ['https://chat.example.com', ['https://chat.example.com', 'https://chat.example.org']]) {
      expect(allowed({ ...behindProxy, origin: 'https://chat.example.com' }, { publicOrigin })).toBe(true);
      expect(allowed({ ...behindProxy, origin: 'http://backend:3000' }, { publicOrigin })).toBe(false);
    }
  });

  it('reads X-Forwarded headers only where trustProxy is set, and of several entries the last', () => {
    const handshake: Handshake = {
      host: 'backend:3000',
      origin: 'https://chat.example.com',
      headers: { 'x-forwarded-host': 'evil.com, chat.example.com', 'x-forwarded-proto': 'http, https' },
    };
    expect(allowed(handshake)).toBe(false);
    expect(allowed(handshake, { trustProxy: true })).toBe(true);
    expect(allowed({ ...handshake, origin: 'https://evil.com' }, { trustProxy: true })).toBe(false);
    expect(allowed({ ...handshake, origin: 'http://chat.example.com' }, { trustProxy: true })).toBe(false);
    expect(allowed({ host: 'chat.example.com', origin: 'https://chat.example.com' }, { trustProxy: true })).toBe(true);
  });

  it.each([
    ['https', false],
    ['HTTPS', false],
    ['wss', false],
    ['http', true],
    ['ws', true],
  ])('behind a trusted proxy that speaks %s to browsers lets a page of plain http pass: %s', (proto, isAllowed) => {
    const headers = { 'x-forwarded-proto': proto };
    expect(allowed({ origin: 'http://app.example.com', headers }, { trustProxy: true })).toBe(isAllowed);
    expect(allowed({ origin: 'https://app.example.com', headers }, { trustProxy: true })).toBe(true);
  });

  it('takes the last entry of a header that proxies append to', () => {
    expect(lastEntry('a, b')).toBe('b');
    expect(lastEntry(['a', 'b , c '])).toBe('c');
    expect(lastEntry(undefined)).toBe('');
  });
});

describe('the origin rule, whatever is sent', () => {
  const text = fc.oneof(fc.string(), unicodeText(400), fc.webUrl());

  it('never throws', () => {
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (origin, host, forwarded, trustProxy) => {
        const headers = { 'x-forwarded-host': forwarded, 'x-forwarded-proto': forwarded };
        expect(typeof allowed({ origin, host, headers }, { trustProxy, origins: ['https://*.example.com'] })).toBe('boolean');
      }),
    );
  });

  it('lets no other host pass', () => {
    fc.assert(
      fc.property(fc.webAuthority(), (host) => {
        fc.pre(host.toLowerCase() !== 'app.example.com' && !/^app\.example\.com:(443|80)$/i.test(host));
        expect(allowed({ origin: `https://${host}` })).toBe(false);
      }),
    );
  });

  it('lets below a wildcard only what ends with it', () => {
    const matches = originMatcher('origins', ['https://*.example.com']);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '@', '/', ':', '-', 'example.com', '*') }), (host) => {
        if (matches(`https://${host}`)) expect(host).toMatch(/^([a-z*-]|[^.]+\.)*[^.]+\.example\.com(:443)?$/);
        expect(matches(`https://${host}evil`)).toBe(false);
      }),
    );
  });
});

describe('options of the origin rule', () => {
  it.each<[string, unknown]>([
    ['origins', 'https://app.example.com'],
    ['origins', ['https://app.example.com/']],
    ['origins', ['https://*']],
    ['origins', ['https://a.*.example.com']],
    ['origins', [1]],
    ['origins', ['app://*']],
    ['origins', ['file:// ']],
    ['origins', ['https://']],
    ['origins', ['https://app.example.com\n']],
    ['origins', ['https://bücher.example/']],
    ['origins', ['https://bücher.example?a']],
    ['origins', ['https://b\u00fc cher.example']],
    ['origins', ['https://b\u00fccher.example:']],
    ['origins', ['ws://a/b']],
    ['origins', ['']],
    ['publicOrigin', 'https://'],
    ['publicOrigin', ['https://a', 7]],
    ['requireOrigin', 'yes'],
    ['trustProxy', 1],
  ])('%s of %j is a TypeError that names it', (option, value) => {
    const error = thrownBy(() => new ChannelServer({ receive: () => {} }, { [option]: value }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(option);
  });

  it.each([
    ['https://bücher.example', 'https://xn--bcher-kva.example', true],
    ['https://BÜCHER.example:8443', 'https://xn--bcher-kva.example:8443', true],
    ['https://*.bücher.example', 'https://shop.xn--bcher-kva.example', true],
    ['bücher.example', 'http://xn--bcher-kva.example', true],
    ['https://bücher.example', 'https://bucher.example', false],
    ['https://bücher.example', 'https://bücher.example', false],
  ])('may name hosts as people write them: %s, %s', (listed, origin, isAllowed) => {
    expect(originMatcher('origins', [listed])(origin)).toBe(isAllowed);
  });

  it('are copied when the server is made', async () => {
    const origins = ['https://app.example.com'];
    const server = new ChannelServer({ receive: () => {} }, { ...makeSite().options, origins });
    origins.push('https://evil.com');
    expect((await connectTo(server, { origin: 'https://evil.com' })).refusal).toEqual({ status: 403 });
  });
});

describe('a refused origin', () => {
  it('is no error, and a warning tells which option would let it in', async () => {
    const { options, warnings, errors } = makeSite();
    const client = await connectTo({ connect: () => {} }, { ...options, origin: 'https://evil.com', headers: { host: 'app.example.com' } });
    expect(client.refusal).toEqual({ status: 403 });
    expect(errors).toEqual([]);
    expect(codesOf(warnings)).toEqual(['ERR_ORIGIN_REFUSED']);
    expect(warnings[0]?.message).toMatch(/https:\/\/evil\.com.*app\.example\.com.*\borigins\b.*\bpublicOrigin\b.*\btrustProxy\b/);
  });

  const longest = `https://${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example.com:8443`;

  it.each<[string, HandshakeOptions, ChannelServerOptions]>([
    ['an unlisted host', { origin: 'https://other.example.org' }, {}],
    ['another port', { origin: 'http://app.example.com:8080' }, {}],
    ['the longest one', { origin: longest }, {}],
    ['upper case', { origin: 'HTTPS://Other.Example.ORG' }, {}],
    ['a proxy that rewrites Host', { origin: 'https://chat.example.com', headers: { host: 'backend:3000' } }, {}],
    ['a publicOrigin that is another', { origin: 'https://app.example.com' }, { publicOrigin: 'https://chat.example.com' }],
    ['a scheme of its own', { origin: 'capacitor://localhost' }, {}],
    ['the URL of a native client', { origin: 'ws://other.example.org:81' }, {}],
    ['a sandboxed page', { origin: 'null' }, {}],
    ['a file', { origin: 'file://' }, {}],
  ])('gets in by what the warning says: %s', async (_name, handshake, server) => {
    const connectWith = async (options: ChannelServerOptions) => {
      const site = makeSite();
      const all = { ...site.options, ...server, ...options, headers: { host: 'app.example.com' }, ...handshake };
      return { site, refusal: (await connectTo({ connect: () => {} }, all)).refusal };
    };
    const refused = await connectWith({});
    expect(refused.refusal).toEqual({ status: 403 });
    const [, advised = ''] = /from origin ("[^"]*")/.exec(refused.site.warnings[0]?.message ?? '') ?? [];
    const pasted = JSON.parse(advised) as string;
    expect((await connectWith({ origins: [pasted] })).refusal).toBeUndefined();
    expect((await connectWith({ publicOrigin: pasted })).refusal).toBeUndefined();
  });

  it('gets in over plain http on TLS by what the warning says', () => {
    const request = { headers: { host: 'app.example.com', origin: 'http://app.example.com' }, socket: { encrypted: true } };
    const handshake = request as unknown as IncomingMessage;
    expect(originRule({})(handshake)).toBe(false);
    const [, advised = ''] = /from origin ("[^"]*")/.exec(refusedOrigin(handshake).message) ?? [];
    expect(originRule({ origins: [JSON.parse(advised) as string] })(handshake)).toBe(true);
  });

  it('gets in behind a proxy by trustProxy, which the warning names', async () => {
    const headers = { host: 'backend:3000', 'x-forwarded-host': 'chat.example.com', 'x-forwarded-proto': 'https' };
    const { options, warnings } = makeSite();
    const handshake = { ...options, headers, origin: 'https://chat.example.com' };
    expect((await connectTo({ connect: () => {} }, handshake)).refusal).toEqual({ status: 403 });
    expect(warnings[0]?.message).toContain('trustProxy');
    expect((await connectTo({ connect: () => {} }, { ...handshake, trustProxy: true })).refusal).toBeUndefined();
  });

  it('that is missing gets in without requireOrigin, which the warning names', async () => {
    const { options, warnings } = makeSite();
    expect((await connectTo({ connect: () => {} }, { ...options, requireOrigin: true })).refusal).toEqual({ status: 403 });
    expect(warnings[0]?.message).toContain('requireOrigin');
    expect((await connectTo({ connect: () => {} }, { ...options, requireOrigin: false })).refusal).toBeUndefined();
  });

  it('that a proxy took away from a browser’s handshake gets in once the proxy passes it on and it is listed', async () => {
    const { options, warnings } = makeSite();
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await connectTo({ connect: () => {} }, { ...options, headers })).refusal).toEqual({ status: 403 });
    expect(warnings[0]?.message).toMatch(/Sec-Fetch-Site.*cross-site.*Origin.*origins/);
    expect(warnings[0]?.message).not.toContain('requireOrigin');
    const origin = 'https://other.example.org';
    expect((await connectTo({ connect: () => {} }, { ...options, headers, origin, origins: [origin] })).refusal).toBeUndefined();
  });

  it.each(['https://a, https://b', 'https://evil.com/', 'x', '', 'https://*.example.com'])(
    'that is none (%s) is said to be none',
    async (origin) => {
      const { options, warnings } = makeSite();
      await connectTo({ connect: () => {} }, { ...options, origin });
      expect(warnings[0]?.message).not.toMatch(/origins|publicOrigin/);
    },
  );

  it('is cut in the warning, and only printable there', async () => {
    const { options, warnings } = makeSite();
    await connectTo({ connect: () => {} }, { ...options, origin: `https://${'a'.repeat(8_192)}` });
    await connectTo({ connect: () => {} }, { ...options, origin: 'https://ö\u001b[31m\n"evil' });
    for (const { message } of warnings) {
      expect(message.length).toBeLessThan(600);
      expect(message).toMatch(/^[\x20-\x7e]+$/);
    }
    expect(warnings).toHaveLength(2);
  });

  it('never reaches a handler', async () => {
    let called = false;
    const connect = (): void => {
      called = true;
    };
    await connectTo({ connect }, { ...makeSite().options, origin: 'null' });
    expect(called).toBe(false);
  });
});

it('an origin that is none is a TypeError that names whose option it is', async () => {
  for (const origins of ['https://app.example.com', ['https://app.example.com/chat']]) {
    const options = { origins: origins as never };
    expect(() => originRule(options)).toThrow(/^ChannelServer: origins /);
    expect(() => originRule({ publicOrigin: 'app.example.com/' })).toThrow(/^ChannelServer: publicOrigin /);
    expect(() => originRule(options, 'identifyUser')).toThrow(/^identifyUser: origins /);
  }
});
