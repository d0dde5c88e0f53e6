/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A channel session as a store keeps it. */
export interface StoredSession {
  /** Starts at 1 and grows by 1 with each save; what compare-and-set compares. */
  readonly version: number;
  readonly data: JsonObject;
  /** When the record was created. It distinguishes the record from an earlier one of the same id. A save never changes it. */
  readonly createdAt: Date;
  /** From this moment on the record counts as absent. */
  readonly expiresAt: Date;
}

/**
 * Keeps channel sessions. A store never brings a destroyed session back to life and never overwrites a newer version.
 *
 * It rejects with a {@link ChannelError} `ERR_SESSION_CONFLICT` or `ERR_SESSION_GONE` as said below. It rejects with a `TypeError`, before
 * anything is asked or written, for an id that is not a string or is empty, for an invalid date, and for a malformed session (see
 * `checkStoredSession`). Any other rejection means that the store failed.
 *
 * An unreadable record has a version that is not an integer of at least 1, data that is not an object, or an invalid date. For `save` and
 * `touch` it counts as absent, and `create` replaces it. `load` gives `undefined` for it, or returns it as it is; then the core reports it,
 * and treats it as absent.
 */
export interface SessionStore {
  /** After how many milliseconds the store itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The record, or `undefined` if there is none or it has expired, even if it was not removed yet. */
  load(id: string): Promise<StoredSession | undefined>;
  /** Inserts; a live record of this id is `ERR_SESSION_CONFLICT`. An expired one is replaced. */
  create(id: string, session: StoredSession): Promise<void>;
  /**
   * Replaces the record if its version is `expectedVersion` and its `createdAt` is that of `session`, in one step. A record that was
   * created at another time is another record, whatever its version. Never inserts.
   *
   * Rejects with `ERR_SESSION_GONE` if there is no record, or one of another `createdAt`; else with `ERR_SESSION_CONFLICT` if the version
   * differs.
   */
  save(id: string, session: StoredSession, expectedVersion: number): Promise<void>;
  /** Sets `expiresAt` of a live record and nothing else, not even the version; does nothing if there is none. */
  touch(id: string, expiresAt: Date): Promise<void>;
  /** The same for several at once. */
  touchMany?(ids: readonly string[], expiresAt: Date): Promise<void>;
  /** Removes the record; does nothing if there is none. */
  destroy(id: string): Promise<void>;
}
