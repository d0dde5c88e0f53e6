import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { checkedIds, checkId } from '../../src/check-id.js';
import { anything, aWallClock, checkedOptions, type Rule, type Rules } from '../../src/checked-options.js';
import type { Clock } from '../../src/contracts/clock.js';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { copyOfData } from '../../src/copy-of-data.js';
import { ChannelError } from '../../src/errors.js';
import { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { httpToken } from '../../src/http-token.js';
import { cookieValues } from '../../src/identity/credentials.js';
import { kindOf } from '../../src/kind-of.js';
import { SweepPace } from '../../src/sweep-pace.js';
import { tagged } from '../../src/tagged.js';
import { checkTtl, dayMs } from '../../src/time/time-spans.js';

/** Options of {@link MemoryHttpSessionReader}. */
export interface MemoryHttpSessionReaderOptions {
  /** The exact name of the cookie that holds the session's id. @default 'sessionid' */
  readonly cookie?: string | undefined;
  /**
   * How long a session lives after its creation or last save, in milliseconds, an integer of at least 1.
   *
   * @default 1,209,600,000 (14 days)
   */
  readonly ttlMs?: number | undefined;
  /** Tells the time that expiry is compared with. @default the machine's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

interface MemoryHttpSessionRecord {
  readonly userId: string | undefined;
  readonly data: Record<string, unknown>;
  readonly expiresAt: number;
}

const aCookieName: Rule = {
  must: 'the name of a cookie',
  accepts: (value) => typeof value === 'string' && httpToken.test(value),
};
const rules: Rules<MemoryHttpSessionReaderOptions> = {
  cookie: aCookieName,
  ttlMs: anything, // checkTtl looks at it
  clock: aWallClock,
};
const defaultTtlMs = 14 * dayMs;

const owner = 'MemoryHttpSessionReader';

/**
 * Keeps the sessions of a web site in this process and finds them through a cookie that holds their id.
 *
 * The data that it gives is a copy. If two save the same session, the last one wins.
 */
export class MemoryHttpSessionReader implements HttpSessionReader {
  /** Tells of the sessions that were destroyed. */
  readonly revocations: MemoryRevocationFeed = new MemoryRevocationFeed();
  readonly #cookie: string;
  readonly #ttlMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #records = new Map<string, MemoryHttpSessionRecord>();
  readonly #pace = new SweepPace();

  /** @throws {TypeError} when an option is out of its range. */
  constructor(options: MemoryHttpSessionReaderOptions = {}) {
    const { cookie = 'sessionid', ttlMs = defaultTtlMs, clock = Date } = checkedOptions(owner, options, rules);
    this.#cookie = cookie;
    this.#clock = clock;
    checkTtl(owner, ttlMs, this.#clock.now());
    this.#ttlMs = ttlMs;
  }

  /**
   * Makes a session and returns its id, 192 random bits as 32 characters that need no escaping in a cookie.
   *
   * @param userId whose it is; `undefined` for a session without a user.
   * @param data its values, copied. @default {}
   * @throws {TypeError} when `userId` is empty, or `data` is no object or cannot be copied (`structuredClone`).
   */
  create(userId: string | undefined, data: Readonly<Record<string, unknown>> = {}): string {
    if (userId !== undefined) checkId(`${owner}.create`, 'userId', userId);
    const copy = copyOf(data);
    this.#sweep();
    const id = randomBytes(24).toString('base64url');
    this.#put(id, userId, copy);
    return id;
  }

  /**
   * Ends a session; returns whether there was one.
   *
   * @throws {TypeError} when `id` is no string or empty.
   */
  destroy(id: string): boolean {
    checkId(`${owner}.destroy`, 'id', id);
    const isDestroyed = this.#find(id) !== undefined && this.#records.delete(id);
    if (isDestroyed) this.revocations.tell({ httpSessionId: id });
    return isDestroyed;
  }

  async read(request: IncomingMessage): Promise<HttpSession | undefined> {
    const [id, ...others] = new Set(cookieValues(request.headers.cookie, this.#cookie));
    return id === undefined || id === '' || others.length > 0 ? undefined : this.readById(id);
  }

  async readById(id: string): Promise<HttpSession | undefined> {
    checkId(`${owner}.readById`, 'id', id);
    return this.#session(id);
  }

  async readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    const found = new Map<string, HttpSession>();
    for (const id of checkedIds(`${owner}.readByIds`, ids)) {
      const session = this.#session(id);
      if (session) found.set(id, session);
    }
    return found;
  }

  #session(id: string): HttpSession | undefined {
    const record = this.#find(id);
    if (!record) return undefined;
    return new MemoryHttpSession(id, record.userId, copyOf(record.data), (data) => {
      const current = this.#find(id);
      if (!current) throw new ChannelError('ERR_SESSION_GONE', 'The HTTP session was destroyed, or it has expired.');
      this.#put(id, current.userId, copyOf(data));
    });
  }

  #find(id: string): MemoryHttpSessionRecord | undefined {
    const record = this.#records.get(id);
    if (!record || record.expiresAt > this.#clock.now()) return record;
    this.#records.delete(id);
    return undefined;
  }

  #put(id: string, userId: string | undefined, data: Record<string, unknown>): void {
    this.#records.set(id, { userId, data, expiresAt: this.#clock.now() + this.#ttlMs });
  }

  /** Drops what has expired. */
  #sweep(): void {
    this.#pace.added();
    if (!this.#pace.isDue(this.#records.size)) return;
    for (const id of this.#records.keys()) this.#find(id);
  }
}

/** The id is a getter of the class: what prints or serializes the session does not see it. */
class MemoryHttpSession implements HttpSession {
  readonly #id: string;
  readonly #write: (data: Record<string, unknown>) => void;
  readonly userId: string | undefined;
  data: Record<string, unknown>;

  constructor(id: string, userId: string | undefined, data: Record<string, unknown>, write: (data: Record<string, unknown>) => void) {
    this.#id = id;
    this.#write = write;
    this.userId = userId;
    this.data = data;
  }

  get id(): string {
    return this.#id;
  }

  async save(): Promise<void> {
    this.#write(this.data);
  }
}

tagged('MemoryHttpSession', MemoryHttpSession.prototype);

function copyOf(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new TypeError(`${owner}: data must be an object, got ${kindOf(data)}`);
  }
  return copyOfData(owner, data);
}
