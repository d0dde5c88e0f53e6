/** The values of a session, by their names; without express-session's own `cookie`. */
export type SessionValues = Record<string, unknown>;

/** The name under which express-session keeps the cookie's settings in a session. */
export const cookieKey = 'cookie';

/** Copies of the values of a session of middleware or of a store. What nothing can copy (a function) is left out, as JSON leaves it out. */
export function valuesOf(session: object): SessionValues {
  const values: SessionValues = {};
  for (const [name, value] of Object.entries(session)) {
    if (name === cookieKey || value === undefined || typeof value === 'function') continue;
    setValue(values, name, copyOf(value));
  }
  return values;
}

/** A copy of a value; where it has functions in it, what JSON makes of it, which is what stores keep. */
function copyOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  }
}

/** Sets one value, whatever its name: `__proto__` is a name like any other. */
export function setValue(values: object, name: string, value: unknown): void {
  Object.defineProperty(values, name, { value, configurable: true, enumerable: true, writable: true });
}
