import { httpToken } from './http-token.js';
import { kindOf } from './kind-of.js';
import { tagged } from './tagged.js';

const valuePattern = /^[\t\x20-\x7e]*$/;

/** What belongs to the connection or to the handshake itself, and would break it. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that go with the 101, e.g. `Set-Cookie`. Names are compared without regard to case. */
export class ResponseHeaders {
  readonly #fields = new Map<string, { readonly name: string; readonly values: string[] }>();
  #isSealed = false;

  /**
   * Gives a header one value, in place of what it had.
   *
   * @throws {TypeError} when the name or value cannot be sent, the name belongs to the handshake itself (`Sec-WebSocket-…`, `Connection`
   * …), or the handshake is answered.
   */
  set(name: string, value: string): void {
    this.#check(name, value);
    this.#fields.set(name.toLowerCase(), { name, values: [value] });
  }

  /**
   * Adds a value, in a separate line.
   *
   * @throws {TypeError} as {@link set}.
   */
  append(name: string, value: string): void {
    this.#check(name, value);
    const field = this.#fields.get(name.toLowerCase());
    if (field === undefined) this.set(name, value);
    else field.values.push(value);
  }

  /**
   * Removes a header.
   *
   * @throws {TypeError} when the handshake is answered.
   */
  delete(name: string): void {
    this.#mustBeOpen();
    this.#fields.delete(String(name).toLowerCase());
  }

  has(name: string): boolean {
    return this.#fields.has(String(name).toLowerCase());
  }

  /** The values of a header, joined by a comma; `null` if it was not set. */
  get(name: string): string | null {
    return this.#fields.get(String(name).toLowerCase())?.values.join(', ') ?? null;
  }

  /** The values of `Set-Cookie`. */
  getSetCookie(): string[] {
    return [...(this.#fields.get('set-cookie')?.values ?? [])];
  }

  /** The lines of the answer, which is given now: one for each value, in the order in which the names came. @internal */
  takeLines(): string[] {
    this.seal();
    return [...this.#fields.values()].flatMap(({ name, values }) => values.map((value) => `${name}: ${value}`));
  }

  /** The handshake is answered: what is set from now on would be lost. @internal */
  seal(): void {
    this.#isSealed = true;
  }

  #check(name: string, value: string): void {
    this.#mustBeOpen();
    if (typeof name !== 'string' || !httpToken.test(name)) {
      throw new TypeError(`message.responseHeaders: a name must be a token of HTTP, got ${kindOf(name)}`);
    }
    const lower = name.toLowerCase();
    if (reserved.has(lower) || lower.startsWith('sec-websocket-')) {
      throw new TypeError(`message.responseHeaders: ${name} belongs to the handshake itself`);
    }
    if (typeof value !== 'string' || !valuePattern.test(value)) {
      throw new TypeError(`message.responseHeaders: ${name} must be a string of printable ASCII without line breaks, got ${kindOf(value)}`);
    }
  }

  #mustBeOpen(): void {
    if (!this.#isSealed) return;
    throw new TypeError(
      'message.responseHeaders: the handshake is answered already: with accept and attach by ws, before connect; with handleUpgrades once ' +
        'connect has ended',
    );
  }
}

tagged('ResponseHeaders', ResponseHeaders.prototype);
