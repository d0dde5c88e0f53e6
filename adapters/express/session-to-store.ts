import { types } from 'node:util';
import type { ExpressStore } from './express-store.js';
import { cookieKey, setValue } from './session-values.js';

/** The settings of a session's cookie, which say how long it lives. */
interface CookieSettings {
  originalMaxAge: number | null;
  expires: Date | null;
  readonly [name: string]: unknown;
}

/** As express-session's `Store` does, from which most stores inherit. */
interface CreatesSessions {
  createSession?(request: object, session: object): object;
}

/** How long after its last use a session ends, in milliseconds; `undefined` where the browser, or the store, decides that. */
export function lifetimeOf(session: object): number | undefined {
  const { originalMaxAge } = settingsOf(session);
  return typeof originalMaxAge === 'number' && originalMaxAge > 0 ? originalMaxAge : undefined;
}

/** When a session ends, in milliseconds since the epoch; `undefined` where its cookie does not say. */
export function expiryOf(session: object): number | undefined {
  const time = settingsOf(session).expires?.getTime();
  return Number.isNaN(time) ? undefined : time;
}

/** A stored session, ready to be stored again: it lives on as after a request of the site. */
export function usedSession(store: ExpressStore, id: string, stored: object): object {
  const lifetimeMs = lifetimeOf(stored);
  const cookie = settingsOf(stored);
  const used = lifetimeMs === undefined ? cookie : { ...cookie, expires: new Date(Date.now() + lifetimeMs) };
  return sessionToStore(store, id, stored, used);
}

/** A session as stores expect it: of express-session's own class where the store can make one. */
export function sessionToStore(store: ExpressStore, id: string, values: object, cookie: CookieSettings): object {
  const plain = { [cookieKey]: cookie };
  for (const [name, value] of Object.entries(values)) if (name !== cookieKey) setValue(plain, name, value);
  const { createSession } = store as CreatesSessions;
  if (typeof createSession === 'function') return createSession.call(store, { sessionID: id, sessionStore: store }, plain);
  const maxAge = cookie.expires === null ? null : cookie.expires.getTime() - Date.now();
  Object.defineProperty(cookie, 'maxAge', { value: maxAge, enumerable: false });
  return plain;
}

/** A copy of the settings of a session's cookie: of an object of express-session, or of what JSON made of one. */
function settingsOf(session: object): CookieSettings {
  const cookie: unknown = Reflect.get(session, cookieKey);
  if (typeof cookie !== 'object' || cookie === null) return { originalMaxAge: null, expires: null, path: '/', httpOnly: true };
  const data: unknown = Reflect.get(cookie, 'data');
  const settings = { ...(typeof data === 'object' && data !== null ? data : cookie) } as Record<string, unknown>;
  const { originalMaxAge, expires } = settings;
  const date = typeof expires === 'string' || types.isDate(expires) ? new Date(expires) : null;
  return { ...settings, originalMaxAge: typeof originalMaxAge === 'number' ? originalMaxAge : null, expires: date };
}
