import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, credentialHeaders, KeptHandshake, redactUrl, withParams } from '../../src/handshake.js';
import { fakeRequest } from '../../testing/fake-request.js';

const secret = new Set(['token']);
const secrets = { secretParameters: secret, secretHeaders: credentialHeaders };

describe('redactUrl', () => {
  it.each([
    ['/chat?token=abc', '/chat?token=***'],
    ['/chat?a=1&token=abc&b=2', '/chat?a=1&token=***&b=2'],
    ['/chat?token=abc&token=def', '/chat?token=***&token=***'],
    ['/chat?%74oken=abc', '/chat?%74oken=***'],
    ['/chat?Token=abc&TOKEN=def', '/chat?Token=***&TOKEN=***'],
    ['/chat?token', '/chat?token=***'],
    ['/chat?token=a=b', '/chat?token=***'],
    ['/chat?token=a?b', '/chat?token=***'],
    ['/a?token=abc&x=1, /b?token=abc&x=1', '/a?token=***&x=1, /b?token=***&x=1'],
    ['/log-in?next=/chat?Token=abc?&x=1', '/log-in?next=/chat?Token=***&x=1'],
    ['/chat?a=1?b=2', '/chat?a=1?b=2'],
    ['/chat?tokens=abc', '/chat?tokens=abc'],
    ['/token=abc', '/token=abc'],
    ['/chat', '/chat'],
    ['/chat?', '/chat?'],
    ['/chat?&&', '/chat?&&'],
  ])('makes %s into %s', (url, redacted) => {
    expect(redactUrl(url, secret)).toBe(redacted);
  });

  it('leaves a URL as it is where no parameter is secret', () => {
    expect(redactUrl('/chat?token=abc', new Set())).toBe('/chat?token=abc');
  });

  it('leaves no value of a secret parameter in any URL, and never throws', () => {
    const part = fc.oneof(
      fc.tuple(fc.constantFrom('token', '%74oken', 'tok%65n'), fc.string()).map(([name, text]) => `${name}=KEY${encodeURIComponent(text)}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.string(), fc.array(part), (path, parts) => {
        const query = parts.map((text) => (text.startsWith('token=KEY') ? text : text.replaceAll('KEY', 'key'))).join('&');
        const redacted = redactUrl(`${path.replaceAll(/[?#]|KEY/g, '')}?${query}`, secret);
        expect(redacted).not.toContain('KEY');
      }),
    );
  });
});

describe('what is kept of a handshake', () => {
  const request = withParams(
    fakeRequest({
      url: '/chat?room=1&token=abc',
      cookies: { key: 'secret-cookie' },
      origin: 'https://app.example.com',
      protocols: ['chat', 'token.secret-protocol'],
      headers: {
        Authorization: 'Bearer secret-bearer',
        'Proxy-Authorization': 'Basic secret-proxy',
        'User-Agent': 'phone',
        'X-Forwarded-For': '203.0.113.7, 198.51.100.2',
      },
    }),
  );

  it('is frozen, and holds url, address and the headers that are no secret', () => {
    const handshake = new KeptHandshake(request, secrets).whole;
    expect(Object.isFrozen(handshake)).toBe(true);
    expect(Object.isFrozen(handshake.headers)).toBe(true);
    expect(handshake.url).toBe('/chat?room=1&token=***');
    expect(handshake.headers['user-agent']).toBe('phone');
    expect(handshake.headers['origin']).toBe('https://app.example.com');
    expect(Object.keys(handshake)).toEqual(['url', 'headers', 'address', 'params']);
  });

  it('holds no cookie, authorization or subprotocol', () => {
    const handshake = new KeptHandshake(request, secrets).whole;
    for (const name of ['cookie', 'authorization', 'proxy-authorization', 'sec-websocket-protocol']) {
      expect(handshake.headers).not.toHaveProperty(name);
    }
    expect(JSON.stringify(handshake)).not.toContain('secret');
  });

  it.each(['X-Original-URL', 'X-Forwarded-Uri', 'Referer'])('holds no secret parameter of a URL that %s repeats', (name) => {
    const repeating = withParams(fakeRequest({ headers: { [name]: 'https://site.example/chat?room=1&token=abc', 'X-Question': 'who?' } }));
    const { headers } = new KeptHandshake(repeating, secrets).whole;
    expect(headers[name.toLowerCase()]).toBe('https://site.example/chat?room=1&token=***');
    expect(headers['x-question']).toBe('who?');
    expect(new KeptHandshake(repeating, { ...secrets, secretParameters: new Set() }).whole.headers[name.toLowerCase()]).toContain(
      'token=abc',
    );
  });

  it.each([
    ['192.0.2.1:4711', '192.0.2.1'],
    ['203.0.113.9, 192.0.2.1:4711 ', '192.0.2.1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['unknown', 'unknown'],
    ['_hidden:4711', '_hidden:4711'],
  ])('takes the address alone of what a proxy tells with a port: %s', (told, address) => {
    expect(addressOf(fakeRequest({ headers: { 'x-forwarded-for': told } }), true)).toBe(address);
  });

  it('takes the address from the nearest proxy only where it is trusted', () => {
    expect(addressOf(request, true)).toBe('198.51.100.2');
    expect(addressOf(request, false)).toBeUndefined();
  });

  it("has the address that was decided at connect, even where that is none; else the peer's", () => {
    const handshakeFrom = (remoteAddress: string): KeptHandshake =>
      new KeptHandshake(Object.assign(withParams(fakeRequest({})), { socket: { remoteAddress } }) as never, secrets);
    expect(handshakeFrom('192.0.2.1').whole.address).toBe('192.0.2.1');
    const decided = handshakeFrom('192.0.2.1');
    decided.putAddress(undefined);
    expect(decided.whole.address).toBeUndefined();
  });

  it('holds the headers of its own request, whatever those before it have had in common with it', () => {
    const header = fc.constantFrom('host', 'user-agent', 'origin', 'cookie', 'sec-websocket-key', 'x-original-url');
    const value = fc.constantFrom('a', 'b', '/chat?token=secret');
    const requests = fc.array(fc.dictionary(header, value, { maxKeys: 5 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(requests, (all) => {
        const kept = all.map((headers) => new KeptHandshake(Object.assign(withParams(fakeRequest({})), { headers }), secrets));
        for (const [index, { cookie: _secret, ...headers }] of all.entries()) {
          const expected = Object.entries(headers).map(([name, text]) => [
            name,
            name === 'sec-websocket-key' ? text : redactUrl(text, secrets.secretParameters),
          ]);
          expect({ ...kept[index]?.whole.headers }).toEqual(Object.fromEntries(expected));
        }
      }),
    );
  });

  it('leaves out what is no header, such as a function in the prototype of all objects', () => {
    const headers: object = Object.assign(Object.create({ inherited: () => 'x' }), {
      host: 'a',
      number: 1,
      nothing: undefined,
      none: null,
    });
    const handshake = new KeptHandshake(Object.assign(withParams(fakeRequest({})), { headers }) as never, secrets).whole;
    expect({ ...handshake.headers }).toEqual({ host: 'a' });
  });

  it('copies and freezes headers that are lists', () => {
    const listed = withParams(fakeRequest({}));
    listed.headers['set-cookie'] = ['a', 'b'];
    const { headers } = new KeptHandshake(listed, secrets).whole;
    expect(headers['set-cookie']).toEqual(['a', 'b']);
    expect(Object.isFrozen(headers['set-cookie'])).toBe(true);
    expect(headers['set-cookie']).not.toBe(listed.headers['set-cookie']);
  });
});
