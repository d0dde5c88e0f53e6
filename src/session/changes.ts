import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { frozenJson } from './json-value.js';

/** What an `update` makes of a value. */
export type Updater = (value: never) => unknown;

/** What one message did to one key. */
export interface Change {
  readonly key: string;
  /** The key's new value; `undefined` where it is deleted. */
  readonly value: JsonValue | undefined;
  /** The value that the message found when it began. */
  readonly seen: JsonValue | undefined;
  /** How the new value came of the old one, where it depends on that and on nothing else. */
  readonly updaters: readonly Updater[] | undefined;
}

/** The changes of one message, each of another key. */
export type Changes = readonly Change[];

/** Where the newest value of a key is found. */
export interface Values {
  get(key: string): JsonValue | undefined;
}

/** What `updater` makes of `value`. */
export function applyUpdater(updater: Updater, value: JsonValue | undefined, key: string): JsonValue {
  return frozenJson(updater(value as never), 'channelSession.update', key);
}

/**
 * A message's changes as they are on top of `newest`, which is what others have made of the session since: they themselves where nobody
 * touched these keys.
 *
 * @throws {ChannelError} `ERR_SESSION_CONFLICT` when a key that the message set or deleted was changed by someone else.
 * @throws whatever the function of an `update` throws when it runs again.
 */
export function rebase(changes: Changes, newest: Values): Changes {
  for (const { key, seen } of changes)
    if (newest.get(key) !== seen) return changes.map((change) => rebaseOne(change, newest.get(change.key)));
  return changes;
}

function rebaseOne(change: Change, newest: JsonValue | undefined): Change {
  const { key, seen, updaters } = change;
  if (newest === seen) return change;
  if (updaters !== undefined) return { key, value: rerun(updaters, newest, key), seen: newest, updaters };
  if (isDeepStrictEqual(newest, seen)) return change;
  throw new ChannelError('ERR_SESSION_CONFLICT', `Another message changed the session's '${key}' meanwhile; use update() for it.`);
}

function rerun(updaters: readonly Updater[], value: JsonValue | undefined, key: string): JsonValue | undefined {
  let current = value;
  for (const updater of updaters) current = applyUpdater(updater, current, key);
  return current;
}
