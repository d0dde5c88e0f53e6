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
  /** When the record was born: what tells it from one of the same id that was destroyed. A save never changes it. */
  readonly createdAt: Date;
  /** From this moment on the record counts as absent. */
  readonly expiresAt: Date;
}

/**
 * Keeps channel sessions. A store never brings a destroyed session back to life and never overwrites a newer version.
 *
 * Rejections: {@link ChannelError} `ERR_SESSION_CONFLICT` and `ERR_SESSION_GONE` as said below; a `TypeError`, before anything is asked or
 * written, for an id that is no string or empty, for dates that are invalid and for a session that is none (see `checkStoredSession`);
 * anything else means that the store failed.
 *
 * A record that cannot be read (a version that is no integer of at least 1, data that is no object, an invalid date) is absent for `save`
 * and `touch`, and `create` replaces it. `load` gives `undefined` for it, or hands it over as it is: the core reports it then, and treats
 * it as absent.
 */
export interface SessionStore {
  /** After how many milliseconds the store itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The record, or `undefined` where there is none or it has expired, whether or not it was removed already. */
  load(id: string): Promise<StoredSession | undefined>;
  /** Inserts; a live record of this id is `ERR_SESSION_CONFLICT`. An expired one is replaced. */
  create(id: string, session: StoredSession): Promise<void>;
  /**
   * Replaces the record if its version is `expectedVersion` and its `createdAt` is that of `session`, in one step. One that was created at
   * another time is another record, whatever its version: the writer's own is gone. Never inserts.
   *
   * Rejects with `ERR_SESSION_GONE` where there is no record (any more) or one of another birth, else with `ERR_SESSION_CONFLICT` where the
   * version is another.
   */
  save(id: string, session: StoredSession, expectedVersion: number): Promise<void>;
  /** Sets `expiresAt` of a live record and nothing else, not even the version; does nothing where there is none. */
  touch(id: string, expiresAt: Date): Promise<void>;
  /** The same for several at once. */
  touchMany?(ids: readonly string[], expiresAt: Date): Promise<void>;
  /** Removes the record; does nothing where there is none. */
  destroy(id: string): Promise<void>;
}
