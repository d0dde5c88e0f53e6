import type { JsonObject } from './contracts/session-store.js';

/** The object that `text` holds as JSON, as a store has kept it; `undefined` where it holds none. */
export function parsedObject(text: unknown): JsonObject | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
