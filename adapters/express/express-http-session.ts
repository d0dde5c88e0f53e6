import { isDeepStrictEqual } from 'node:util';
import type { HttpSession } from '../../src/contracts/http-session-reader.js';
import { copyOfData } from '../../src/copy-of-data.js';
import { ChannelError } from '../../src/errors.js';
import { tagged } from '../../src/tagged.js';
import { cookieKey, type SessionValues, setValue, valuesOf } from './session-values.js';

const owner = 'HttpSession.save';

/** Values to set, and names of values to delete. */
export interface SessionChanges {
  readonly set: ReadonlyMap<string, unknown>;
  readonly deleted: readonly string[];
}

/** What a session is made of. */
export interface SessionParts {
  readonly id: string | undefined;
  readonly userId: string | undefined;
  readonly data: SessionValues;
  readonly touchIntervalMs: number | undefined;
  /** Merges changes into what is stored; `undefined` where the session can only be read. */
  readonly write: ((changes: SessionChanges) => Promise<void>) | undefined;
}

/** The id is a getter of the class: what prints or serializes the session does not see it. */
export class ExpressHttpSession implements HttpSession {
  readonly #parts: SessionParts;
  /** As it was read or saved last. */
  #before: SessionValues;
  data: SessionValues;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#before = valuesOf(parts.data);
    this.data = parts.data;
  }

  get id(): string | undefined {
    return this.#parts.id;
  }

  get userId(): string | undefined {
    return this.#parts.userId;
  }

  get touchIntervalMs(): number | undefined {
    return this.#parts.touchIntervalMs;
  }

  async save(): Promise<void> {
    const { write } = this.#parts;
    if (write === undefined) {
      throw new ChannelError(
        'ERR_HTTP_SESSION_READ_ONLY',
        'The HTTP session stands in a cookie, which no WebSocket can set: it is read-only.',
      );
    }
    if (Object.hasOwn(this.data, cookieKey))
      throw new TypeError(`${owner}: data.${cookieKey} is express-session's own, and must not be set`);
    copyOfData(owner, this.data); // what cannot be kept is refused: `valuesOf` would leave it out
    const after = valuesOf(this.data);
    await write(changesBetween(this.#before, after));
    this.#before = after;
  }
}

tagged('ExpressHttpSession', ExpressHttpSession.prototype);

function changesBetween(before: SessionValues, after: SessionValues): SessionChanges {
  const set = new Map<string, unknown>();
  for (const [name, value] of Object.entries(after)) {
    if (!Object.hasOwn(before, name) || !isDeepStrictEqual(before[name], value)) set.set(name, value);
  }
  return { set, deleted: Object.keys(before).filter((name) => !Object.hasOwn(after, name)) };
}

/** Makes the changes in `session`, which is about to be stored. */
export function applyChanges(session: object, { set, deleted }: SessionChanges): void {
  for (const name of deleted) Reflect.deleteProperty(session, name);
  for (const [name, value] of set) setValue(session, name, value);
}
