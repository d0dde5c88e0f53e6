import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Clock } from '../../src/contracts/clock.js';
import { nothing } from '../../src/maybe-promise.js';
import { withSignalAndDeadline } from '../../src/time/deadline.js';

/** Finds a key of a set by a token's header. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** How a remote key set is read. */
export interface RemoteKeySetSettings {
  readonly url: string;
  readonly maxAgeMs: number;
  readonly cooldownMs: number;
  readonly timeoutMs: number;
}

/** No issuer publishes more, with certificates and all. */
const maxBytes = 262_144;
/** How long nobody asks again after a failure, at most: who waits for a server that comes back should not wait long. */
const maxFailureCooldownMs = 1_000;

/**
 * The keys that an issuer publishes: read at their first use, again after half of their time, and where a key is missing. One reading is
 * under way at a time, and there is none for a while after one, however many tokens name keys that there are not.
 */
export class RemoteKeySet {
  readonly #settings: RemoteKeySetSettings;
  readonly #clock: Clock;
  #keys: KeySet | undefined;
  /** When they were read; all times are of the monotonic clock. */
  #readAt = Number.NEGATIVE_INFINITY;
  #lastTry = Number.NEGATIVE_INFINITY;
  /** Why the last reading failed; `undefined` where it did not. */
  #failure: { readonly error: unknown } | undefined;
  #reading: Promise<KeySet> | undefined;

  constructor(settings: RemoteKeySetSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * The keys as they are known.
   *
   * @throws whatever keeps them from being known.
   */
  async current(): Promise<KeySet> {
    const age = this.#clock.monotonic() - this.#readAt;
    const { maxAgeMs } = this.#settings;
    if (this.#keys === undefined || age >= maxAgeMs) return this.#read();
    if (age >= maxAgeMs / 2) this.#read().catch(() => undefined); // those that are known will do
    return this.#keys;
  }

  /**
   * The keys as they are now, where those that are known lack one; `undefined` where it is too early to ask again.
   *
   * @throws where that cannot be told.
   */
  async later(): Promise<KeySet | undefined> {
    const isEarly = this.#reading === undefined && this.#clock.monotonic() - this.#lastTry < this.#cooldownMs;
    return isEarly && this.#failure === undefined ? undefined : this.#read();
  }

  get #cooldownMs(): number {
    const { cooldownMs } = this.#settings;
    return this.#failure === undefined ? cooldownMs : Math.min(cooldownMs, maxFailureCooldownMs);
  }

  /** Reads them, unless that failed just now. */
  #read(): Promise<KeySet> {
    if (this.#reading !== undefined) return this.#reading;
    if (this.#failure !== undefined && this.#clock.monotonic() - this.#lastTry < this.#cooldownMs)
      return Promise.reject(this.#failure.error);
    this.#reading = this.#fetch().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #fetch(): Promise<KeySet> {
    this.#lastTry = this.#clock.monotonic();
    try {
      this.#keys = createLocalJWKSet(await this.#download());
      this.#readAt = this.#lastTry;
      this.#failure = undefined;
      return this.#keys;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #download(): Promise<JSONWebKeySet> {
    const { url, timeoutMs: ms } = this.#settings;
    const onTimeout = (): Error => new Error(`The keys of the issuer were not read within ${ms} ms.`);
    return withSignalAndDeadline((signal) => download(url, signal), { clock: this.#clock, ms, onTimeout });
  }
}

async function download(url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const response = await fetch(url, { headers, redirect: 'manual', signal });
  if (response.status !== 200) {
    response.body?.cancel().catch(nothing); // whatever else comes is not wanted
    throw new Error(`The keys of the issuer were answered with status ${response.status}.`);
  }
  return JSON.parse(await textOf(response)) as JSONWebKeySet; // createLocalJWKSet looks at it
}

/** Whoever leaves the loop cancels the rest. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`The keys of the issuer were more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
