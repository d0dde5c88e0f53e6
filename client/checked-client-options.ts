import type { ClientClock, ClientOptions } from './client-options.js';
import { here } from './environment.js';

/** Timers of the platform run at once beyond this. */
const longestMs = 2_147_483_647;

const clock: ClientClock = {
  monotonic: () => performance.now(),
  setTimer: (fn, ms) => {
    const timer = setTimeout(fn, Math.min(ms, longestMs));
    return () => clearTimeout(timer);
  },
};

/** The options of a client, with what is not given. */
export type CheckedClientOptions = Omit<ClientOptions, Kept> & { readonly [Name in Kept]: NonNullable<ClientOptions[Name]> };
type Kept = Exclude<keyof ClientOptions, 'protocols' | 'onMessage' | 'onClose' | 'renew' | 'ticket'>;

/**
 * What is not given: numbers, functions, functions that there need not be (null), and what something else looks at more closely
 * (undefined).
 */
const defaults = {
  pingMs: 25_000,
  pongMs: 5_000,
  minDelayMs: 1_000,
  maxDelayMs: 60_000,
  stableMs: 10_000,
  connectTimeoutMs: 15_000,
  random: Math.random,
  onMessage: null,
  onClose: null,
  renew: null,
  ticket: null,
  protocols: undefined,
  clock,
};

/** @throws {TypeError} naming the option that there is not, or that is not what it must be. */
export function checkedClientOptions(given: ClientOptions): CheckedClientOptions {
  const options: Record<string, unknown> = { ...defaults, WebSocket: here.WebSocket ?? false };
  for (const name in given) if (!(name in options)) throw new TypeError(`connectChannel: no option ${name}`);
  for (const name in options) {
    const byDefault = options[name];
    const value = given[name as keyof ClientOptions];
    const used = value ?? byDefault;
    options[name] = used;
    if (typeof byDefault === 'number') checkNumber(name, used);
    else if (byDefault !== undefined && byDefault !== clock && used !== null && typeof used !== 'function') {
      throw mistake(name, 'a function', value);
    }
  }
  const checked = options as unknown as CheckedClientOptions;
  for (const name in clock) if (!checked.clock[name as keyof ClientClock]) throw mistake('clock', 'a clock', checked.clock);
  return checked;
}

/** @throws {TypeError} unless `value` is a number that timers keep. */
export function checkNumber(name: string, value: unknown): void {
  if (!(typeof value === 'number' && value >= 0 && value <= longestMs)) throw mistake(name, `0 to ${longestMs}`, value);
}

/** @throws {TypeError} unless `given` is a URL of a socket. */
export function checkedUrl(given: string | URL): URL {
  try {
    // as the platform resolves what it is given itself: a page may have a base
    const url = new URL(given, here.document?.baseURI ?? here.location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.hash = ''; // no socket takes one
    if (/^wss?:/.test(url.protocol)) return url;
  } catch {
    // told below
  }
  throw mistake('url', 'a WebSocket URL', given);
}

/** @throws {TypeError} when JSON cannot hold `value`, or its JSON does not begin with `start`. */
export function jsonOf(value: unknown, start = ''): string {
  const text: string | undefined = JSON.stringify(value);
  if (text?.startsWith(start)) return text;
  throw mistake('data', 'JSON', value);
}

/** What was got is told by its kind alone: it may be a secret. */
function mistake(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`connectChannel: ${name} must be ${expected}, got ${typeof value === 'number' ? value : typeof value}`);
}
