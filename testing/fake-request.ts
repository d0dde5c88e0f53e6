import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { aListOfStrings, anObject, aString, checkedOptions, type Rule, type Rules } from '../src/checked-options.js';
import { kindOf } from '../src/kind-of.js';

/** What a test says of a handshake. */
export interface HandshakeOptions {
  /** Cookies of the handshake, by name. @default none */
  readonly cookies?: Readonly<Record<string, string>> | undefined;
  /** Further headers; names in any case. They win over what the other options say. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The `Origin` header. @default none, as a native client */
  readonly origin?: string | undefined;
  /** Path and query. @default '/' */
  readonly url?: string | undefined;
  /** Subprotocols that the client offers. @default none */
  readonly protocols?: readonly string[] | undefined;
}

/**
 * What is in it is looked at one by one, so that the error can name it. Of a `Map` or `Headers` nothing would be found, and everybody be
 * anonymous.
 */
const anObjectOfStrings: Rule = {
  must: 'an object of strings, no Map or Headers',
  accepts: (value) => anObject.accepts(value) && !(Symbol.iterator in (value as object)),
};

const rules: Rules<HandshakeOptions> = {
  cookies: anObjectOfStrings,
  headers: anObjectOfStrings,
  origin: aString,
  url: aString,
  protocols: aListOfStrings,
};

/**
 * A checked copy.
 *
 * @throws {TypeError} naming `owner`, the option, what it must be and what it is.
 */
export function checkedHandshake(owner: string, given: HandshakeOptions): HandshakeOptions {
  const options = checkedOptions(owner, given, rules);
  checkStrings(`${owner}: cookies`, options.cookies ?? {});
  const { headers = {} } = options;
  // one that is undefined takes away what would be there
  checkStrings(`${owner}: headers`, Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)));
  return options;
}

function checkStrings(what: string, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    if (!aString.accepts(value)) throw new TypeError(`${what} must be ${anObjectOfStrings.must}, got ${kindOf(value)} for ${name}`);
  }
}

/** The request of an opening handshake, as Node's HTTP server would hand it over. No socket is opened. */
export function fakeRequest(options: HandshakeOptions): IncomingMessage {
  const { cookies = {}, headers = {}, origin, url = '/', protocols = [] } = options;
  const request = new IncomingMessage(new Socket());
  const cookie = Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ');
  const all: Record<string, string | undefined> = {
    host: '127.0.0.1',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': protocols.length > 0 ? protocols.join(', ') : undefined,
    cookie: cookie === '' ? undefined : cookie,
    origin,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) request.headers[name] = value;
  request.method = 'GET';
  request.url = url;
  return request;
}
