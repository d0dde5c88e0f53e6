import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { frozenJson } from './json-value.js';

/** The values of a session. Never changed in place: a commit makes a new map. */
export type SessionData = ReadonlyMap<string, JsonValue>;

/** What an `update` makes of a value. */
export type Step = (value: never) => unknown;

/** What one message did to one key. `steps` are kept only where the change depends on the old value and on nothing else. */
export type Change =
  | { readonly kind: 'set'; readonly value: JsonValue }
  | { readonly kind: 'delete' }
  | { readonly kind: 'update'; readonly value: JsonValue; readonly steps: readonly Step[] };

/** The changes of one message, by key. */
export type Changes = ReadonlyMap<string, Change>;

/** What `step` makes of `value`. */
export function applyStep(step: Step, value: JsonValue | undefined, key: string): JsonValue {
  return frozenJson(step(value as never), `channelSession.update('${key}')`);
}

/**
 * The newest data with a message's changes on top.
 *
 * @param base the data that the message saw.
 * @throws {ChannelError} `ERR_SESSION_CONFLICT` when a key that the message set or deleted was changed by someone else since `base`.
 */
export function replay(changes: Changes, base: SessionData, newest: SessionData): SessionData {
  const result = new Map(newest);
  for (const [key, change] of changes) {
    if (base !== newest && change.kind !== 'update' && !isDeepStrictEqual(base.get(key), newest.get(key))) {
      throw new ChannelError('ERR_SESSION_CONFLICT', `Another message changed the session's '${key}' meanwhile; use update() for it.`);
    }
    if (change.kind === 'delete') result.delete(key);
    else result.set(key, change.kind === 'set' || base === newest ? change.value : rerun(change.steps, newest.get(key), key));
  }
  return result;
}

function rerun(steps: readonly Step[], value: JsonValue | undefined, key: string): JsonValue {
  return steps.reduce<JsonValue | undefined>((current, step) => applyStep(step, current, key), value) as JsonValue;
}
