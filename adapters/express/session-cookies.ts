import { parseCookie } from 'cookie';

/** A name by which express-session goes unless told otherwise. */
const defaultName = 'connect.sid';

/** As the middleware reads it, whose cookies may stand in quotes. */
function decoded(raw: string): string {
  const value = raw.startsWith('"') ? raw.slice(1, -1) : raw;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** What cookies hold, each part of the header by itself: parsed together, several of one name would hide each other. */
function cookiesOf(header: string | undefined): [name: string, value: string][] {
  const cookies: [string, string][] = [];
  for (const part of header?.split(';') ?? []) {
    if (!part.includes('=')) continue;
    for (const [name, value] of Object.entries(parseCookie(part, { decode: decoded })))
      if (value !== undefined) cookies.push([name, value]);
  }
  return cookies;
}

/** The id that a cookie of express-session holds: `s:`, the id, a dot and the signature. */
function signedIdOf(value: string): string | undefined {
  const end = value.lastIndexOf('.');
  return value.startsWith('s:') && end > 2 && end < value.length - 1 ? value.slice(2, end) : undefined;
}

/**
 * Whether `id` stands signed in a cookie of the header. Whether the signature is right is for the middleware to tell, which knows the
 * secrets.
 *
 * @param name that of the session cookie; `undefined` where any may be it.
 */
export function holdsSignedId(header: string | undefined, id: string, name: string | undefined): boolean {
  return cookiesOf(header).some(([each, value]) => (name === undefined || each === name) && signedIdOf(value) === id);
}

/**
 * Whether a session cookie came: one called `name`. Without a name, one called `connect.sid`, one that is signed as express-session does
 * it, or one beside which its signature came as cookie-session does it (`name` and `name.sig`).
 */
export function holdsSessionCookie(header: string | undefined, name: string | undefined): boolean {
  const cookies = cookiesOf(header).filter(([, value]) => value !== '');
  if (name !== undefined) return cookies.some(([each]) => each === name);
  const names = new Set(cookies.map(([each]) => each));
  return cookies.some(([each, value]) => each === defaultName || signedIdOf(value) !== undefined || names.has(`${each}.sig`));
}
