import type { IncomingMessage } from 'node:http';
import { checkedIds, checkId } from '../../src/check-id.js';
import { aFlag, aFunction, aName, checkedOptions, type Rules } from '../../src/checked-options.js';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { ChannelError } from '../../src/errors.js';
import { foundOrMade } from '../../src/found-or-made.js';
import { maxInFlight, someAtATime } from '../../src/identity/some-at-a-time.js';
import { type TimeLimit, withDeadline } from '../../src/time/deadline.js';
import { systemClock } from '../../src/time/system-clock.js';
import { dayMs } from '../../src/time/time-spans.js';
import { defaultTimeoutMs } from '../../src/time/timed-options.js';
import { unreadable, withUnreadable } from '../../src/unreadable.js';
import { type ConnectMiddleware, checkedChain } from './connect-middleware.js';
import { applyChanges, ExpressHttpSession, type SessionChanges } from './express-http-session.js';
import { anExpressStore, type ExpressStore, StoreCalls } from './express-store.js';
import { inTurn } from './in-turn.js';
import { type ExpressOptions, expressRules } from './options.js';
import { runChain } from './run-chain.js';
import { holdsSessionCookie, holdsSignedId } from './session-cookies.js';
import { SessionIdWatch, type SessionRequest } from './session-id-watch.js';
import { lifetimeOf, usedSession } from './session-to-store.js';
import { valuesOf } from './session-values.js';
import { checkedUserId, defaultUserId } from './user-id-of.js';

/** Options of {@link ExpressSessionReader}. */
export interface ExpressSessionReaderOptions<Session extends object = Record<string, unknown>> extends ExpressOptions {
  /**
   * The exact name of the session cookie; no other cookie counts then.
   *
   * @default any cookie that is signed as express-session does it
   */
  readonly cookie?: string | undefined;
  /** The store of the sessions. @default the middleware's own, known from the first handshake on */
  readonly store?: ExpressStore | undefined;
  /**
   * Gives the id of the session's user: a string, an integer, or nothing if nobody has logged in.
   *
   * @default passport's `session.passport.user`, then `session.userId`
   */
  readonly userId?: ((session: Session) => string | number | null | undefined) | undefined;
  /**
   * Whether a session lives on while one of its channels is open. It is then touched in the store when the first one has opened, and every
   * third of its `cookie.maxAge`, or every 8 hours if it has none.
   *
   * @default false
   */
  readonly touchWhileOpen?: boolean | undefined;
}

/** What a request was left with by the chain, and the status where that has answered it. */
type ChainEnd = Readonly<SessionRequest> & { readonly status: number | undefined };

const owner = 'ExpressSessionReader';
const rules: Rules<ExpressSessionReaderOptions> = {
  ...expressRules,
  cookie: aName,
  store: anExpressStore,
  userId: aFunction,
  touchWhileOpen: aFlag,
};

/** How long stores keep a session whose cookie ends with the browser: a day with most, longer with others. */
const storesLifetimeMs = dayMs;

/**
 * Reads the sessions of Connect and Express. It runs the site's own middleware on the handshake (express-session with any store, also with
 * passport; or cookie-session), and takes `request.session` if that was loaded. It imports none of these packages.
 */
export class ExpressSessionReader<Session extends object = Record<string, unknown>> implements HttpSessionReader {
  readonly timeoutMs: number;
  readonly #chain: readonly ConnectMiddleware[];
  readonly #options: Readonly<ExpressSessionReaderOptions<Session>>;
  readonly #timeLimit: TimeLimit;
  readonly #running = new WeakMap<IncomingMessage, Promise<ChainEnd>>();
  /** Sessions that middleware made for requests which had none. */
  readonly #fresh = new WeakSet<object>();
  #calls: StoreCalls | undefined;

  /**
   * @param middleware what the site runs before its own handlers, up to the session and passport: one, or a list in its order.
   * @throws {TypeError} when something in it is not middleware, or an option is out of its range.
   */
  constructor(middleware: ConnectMiddleware | readonly ConnectMiddleware[], options: ExpressSessionReaderOptions<Session> = {}) {
    this.#chain = checkedChain(owner, middleware);
    this.#options = checkedOptions(owner, options, rules as Rules<ExpressSessionReaderOptions<Session>>);
    const { timeoutMs = defaultTimeoutMs, clock = systemClock, store } = this.#options;
    this.timeoutMs = timeoutMs;
    this.#timeLimit = { clock, ms: timeoutMs };
    if (store !== undefined) this.#calls = new StoreCalls(store, this.#timeLimit);
  }

  async read(request: IncomingMessage): Promise<HttpSession | undefined> {
    const { status, session, sessionID: id, sessionStore } = await this.#run(request);
    if (status !== undefined) checkRefusal(status);
    if (anExpressStore.accepts(sessionStore)) this.#calls ??= new StoreCalls(sessionStore as ExpressStore, this.#timeLimit);
    if (session === undefined) return this.#none(request); // also where a guard took that for nobody's
    // somebody in the chain has taken it away
    if (status !== undefined || typeof session !== 'object' || session === null) return undefined;
    if (typeof id === 'string') {
      const isLoaded = !this.#fresh.has(session) && holdsSignedId(request.headers.cookie, id, this.#options.cookie);
      return isLoaded ? this.#session(id, session) : undefined;
    }
    // all of it stands in the cookie: cookie-session says whether it is new, of others that is so where it is nobody's
    const isNew: unknown = Reflect.get(session, 'isNew');
    if (isNew !== false && isNew !== undefined) return undefined;
    const whole = this.#session(undefined, session);
    return isNew === false || whole.userId !== undefined ? whole : undefined;
  }

  async readById(id: string): Promise<HttpSession | undefined> {
    checkId(`${owner}.readById`, 'id', id);
    const stored = await this.#store().get(id);
    return stored && this.#session(id, stored);
  }

  /**
   * Asks the store for several, eight at a time, for `timeoutMs` in all. A session that cannot be read, or was not reached by then, fails
   * alone: it throws where its `userId` is read. If none of them can be read, it rejects.
   */
  async readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    const found = new Map<string, HttpSession>();
    const failures = new Map<string, unknown>();
    const checked = checkedIds(`${owner}.readByIds`, ids);
    const left = new Set(checked);
    let answered = 0;
    const read = async (id: string): Promise<void> => {
      if (!left.has(id)) return; // time has run out
      try {
        const stored = await this.#store().get(id);
        if (!left.delete(id)) return;
        answered += 1;
        if (stored !== undefined) found.set(id, this.#session(id, stored));
      } catch (error) {
        left.delete(id);
        failures.set(id, error);
        if (answered === 0 && failures.size >= maxInFlight) throw error; // it is the store that fails
      }
    };
    const onTimeout = (): Error => {
      const error = new ChannelError(
        'ERR_LOOKUP_TIMEOUT',
        `The session store did not answer for ${left.size} of ${checked.length} sessions within ${this.timeoutMs} ms.`,
      );
      for (const id of left) failures.set(id, error);
      left.clear();
      return error;
    };
    await withDeadline(() => someAtATime([...left], read), { ...this.#timeLimit, onTimeout }).catch((error: unknown) => {
      if (answered === 0) throw error;
    });
    return withUnreadable(checked, { found, failures }, (id, error) => unreadable<HttpSession>({ id }, 'userId', error));
  }

  /** Prolongs sessions as a request of the site would; those that are gone stay so. */
  async touchMany(ids: readonly string[]): Promise<void> {
    const checked = new Set(checkedIds(`${owner}.touchMany`, ids));
    const { store } = this.#store();
    const failures: unknown[] = [];
    const touch = async (id: string): Promise<void> => {
      try {
        await inTurn(store, id, () => this.#touch(id));
      } catch (error) {
        failures.push(error); // the others are touched all the same
      }
    };
    await someAtATime([...checked], touch);
    if (failures.length > 0) throw failures[0];
  }

  async #touch(id: string): Promise<void> {
    const calls = this.#store();
    const stored = await calls.get(id);
    if (stored !== undefined) await calls.touch(id, usedSession(calls.store, id, stored));
  }

  /** The middleware is run once however many ask at a time. */
  #run(request: IncomingMessage): Promise<ChainEnd> {
    return foundOrMade(this.#running, request, () => this.#runChain(request).finally(() => this.#running.delete(request)));
  }

  async #runChain(request: IncomingMessage & SessionRequest): Promise<ChainEnd> {
    // a route of the site has destroyed the session that its middleware found
    const isDestroyed = request.session === undefined && request.sessionStore !== undefined;
    const watch = new SessionIdWatch(request);
    let isWanted = true;
    const onTimeout = (): Error =>
      new ChannelError('ERR_LOOKUP_TIMEOUT', `The session middleware did not go on within ${this.timeoutMs} ms.`);
    try {
      const status = await withDeadline(() => runChain(this.#chain, request, () => isWanted), { ...this.#timeLimit, onTimeout });
      const { session, sessionID, sessionStore } = request;
      if (watch.isGenerated && typeof session === 'object' && session !== null) this.#fresh.add(session);
      const isLoaded = typeof sessionID !== 'string' || holdsSignedId(request.headers.cookie, sessionID, this.#options.cookie);
      if (isDestroyed && !isLoaded) delete request.session; // the site would store what was made in its place, and set its cookie
      return { status, session, sessionID, sessionStore };
    } finally {
      isWanted = false;
      watch.end();
    }
  }

  /** No session was given. Where a cookie says that there is one, nobody can tell whose. */
  #none(request: IncomingMessage): undefined {
    if (!holdsSessionCookie(request.headers.cookie, this.#options.cookie)) return undefined;
    throw new ChannelError(
      'ERR_LOOKUP_FAILED',
      'The session middleware gave no session although a session cookie came: its store is disconnected, or it does not run for this path.',
    );
  }

  #session(id: string | undefined, session: object): HttpSession {
    const data = valuesOf(session);
    const { userId, touchWhileOpen = false } = this.#options;
    const isTouched = touchWhileOpen && id !== undefined;
    return new ExpressHttpSession({
      id,
      userId: userId === undefined ? defaultUserId(data) : checkedUserId('what userId gives', userId(valuesOf(data) as Session)),
      data,
      touchIntervalMs: isTouched ? (lifetimeOf(session) ?? storesLifetimeMs) / 3 : undefined,
      write: id === undefined ? undefined : (changes) => inTurn(this.#store().store, id, () => this.#write(id, changes)),
    });
  }

  /** Between reading and writing lies a moment in which others may write: a store for express-session has no compare-and-set. */
  async #write(id: string, changes: SessionChanges): Promise<void> {
    const calls = this.#store();
    const stored = await calls.get(id);
    if (stored === undefined) throw new ChannelError('ERR_SESSION_GONE', 'The HTTP session was destroyed, or it has expired.');
    if (changes.set.size === 0 && changes.deleted.length === 0) return;
    const session = usedSession(calls.store, id, stored);
    applyChanges(session, changes);
    await calls.set(id, session);
  }

  #store(): StoreCalls {
    if (this.#calls !== undefined) return this.#calls;
    throw new ChannelError('ERR_DEPENDENCY_MISSING', `${owner}: no store is known before the first handshake: give the option store`);
  }
}

/** Middleware has answered by itself: the request is nobody's or not let in, for which a redirection stands, too, or it failed. */
function checkRefusal(status: number): void {
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) return;
  throw new ChannelError('ERR_LOOKUP_FAILED', `The session middleware answered the handshake by itself, with status ${status}.`);
}
