import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import session, { MemoryStore, type SessionOptions, type Store } from 'express-session';
import type { HttpSessionReaderFixture, SampleHttpSession } from '../../../entries/testing.js';
import { requestWith as requestWithCookie } from '../../../testing/contracts/request-with-cookie.js';

export const secret = 'keyboard cat';

/** The request of a handshake with this `Cookie` header, to `url`. */
export function requestWith(cookie?: string, url = '/'): IncomingMessage {
  return Object.assign(requestWithCookie(cookie), { url });
}

/** A value signed as express-session signs it, not escaped. */
export function signed(id: string, key: string = secret): string {
  return `s:${id}.${createHmac('sha256', key).update(id).digest('base64').replace(/=+$/, '')}`;
}

/** A session cookie as a browser sends it. */
export function cookieOf(id: string, name = 'connect.sid', key: string = secret): string {
  return `${name}=${encodeURIComponent(signed(id, key))}`;
}

/** Calls a store, and waits for its answer. */
export function asked<Value>(call: (done: (error?: unknown, value?: Value) => void) => unknown): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}

/** Stores a session as the site's middleware would have; its id. */
export async function stored(store: Store, data: object, maxAge: number | null = 60_000): Promise<string> {
  const id = randomBytes(24).toString('base64url');
  const expires = maxAge === null ? null : new Date(Date.now() + maxAge);
  const cookie = { path: '/', httpOnly: true, originalMaxAge: maxAge, expires };
  await asked((done) => store.set(id, { ...data, cookie } as never, done));
  return id;
}

/** The values that a store holds, without the cookie's settings. */
export async function held(store: Store, id: string): Promise<object | undefined> {
  const found = await asked<object | null>((done) => store.get(id, done as never));
  if (!found) return undefined;
  const { cookie: _, ...values } = found as { cookie: unknown };
  return values;
}

/** express-session as most sites use it. */
export function sessionMiddleware(options: Partial<SessionOptions> = {}): ReturnType<typeof session> {
  return session({ secret, resave: false, saveUninitialized: false, store: new MemoryStore(), ...options });
}

/** What the suite of readers needs, over sessions of `store`. */
export function readerFixture(
  sessions: HttpSessionReaderFixture['sessions'],
  store: Store,
  failures?: HttpSessionReaderFixture['failures'],
): HttpSessionReaderFixture {
  return {
    sessions,
    failures,
    async createSession(userId, data): Promise<SampleHttpSession> {
      const id = await stored(store, userId === undefined ? data : { ...data, passport: { user: userId } });
      return { id, cookie: cookieOf(id) };
    },
    destroySession: ({ id = '' }) => asked((done) => store.destroy(id, done)),
  };
}
