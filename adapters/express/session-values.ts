import { types } from 'node:util';

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
    return structuredClone(asToldToJson(value));
  } catch {
    return jsonOf(value);
  }
}

/** What JSON makes of a value; `undefined` where it has nothing of it. */
function jsonOf(value: unknown): unknown {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}

/**
 * `value`, with what instances of classes tell JSON of themselves in their place, as an ObjectId of MongoDB does: a clone of one is of no
 * class, and tells nothing any more. Dates and bytes are cloned as they are.
 *
 * @param around what it is within: a cycle is left to the clone.
 */
function asToldToJson(value: unknown, around: readonly object[] = []): unknown {
  if (typeof value !== 'object' || value === null || types.isDate(value) || ArrayBuffer.isView(value) || around.includes(value))
    return value;
  const toJSON: unknown = Reflect.get(value, 'toJSON');
  if (typeof toJSON === 'function') return jsonOf(value);
  const within = [...around, value];
  if (Array.isArray(value)) return value.map((one) => asToldToJson(one, within));
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  const told = {};
  for (const [name, one] of Object.entries(value)) setValue(told, name, asToldToJson(one, within));
  return told;
}

/** Sets one value, whatever its name: `__proto__` is a name like any other. */
export function setValue(values: object, name: string, value: unknown): void {
  Object.defineProperty(values, name, { value, configurable: true, enumerable: true, writable: true });
}
