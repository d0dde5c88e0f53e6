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
  readonly createdAt: Date;
  /** From this moment on the record counts as absent. */
  readonly expiresAt: Date;
}

/**
 * Keeps channel sessions. A store never brings a destroyed session back to life and never overwrites a newer version.
 *
 * Rejections: {@link ChannelError} `ERR_SESSION_CONFLICT` and `ERR_SESSION_GONE` as said below; anything else means that the store
 * failed.
 */
export interface SessionStore {
  /** After how many milliseconds the store itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** The record, or `undefined` where there is none or it has expired, whether or not it was removed already. */
  load(id: string): Promise<StoredSession | undefined>;
  /** Inserts; a live record of this id is `ERR_SESSION_CONFLICT`. An expired one is replaced. */
  create(id: string, session: StoredSession): Promise<void>;
  /**
   * Replaces the record if its version is `expectedVersion`; otherwise rejects with `ERR_SESSION_CONFLICT`, or with
   * `ERR_SESSION_GONE` where there is no record (any more). Never inserts.
   */
  save(id: string, session: StoredSession, expectedVersion: number): Promise<void>;
  /** Sets `expiresAt` of a live record and nothing else, not even the version; does nothing where there is none. */
  touch(id: string, expiresAt: Date): Promise<void>;
  /** The same for several at once. */
  touchMany?(ids: readonly string[], expiresAt: Date): Promise<void>;
  /** Removes the record; does nothing where there is none. */
  destroy(id: string): Promise<void>;
}
