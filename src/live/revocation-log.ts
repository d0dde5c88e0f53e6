import type { Clock } from '../contracts/clock.js';
import type { IdentityKeys } from '../identity/user-source.js';

interface Entry {
  readonly sequence: number;
  readonly at: number;
  /** Of what has ended by when it was issued: that was before this moment, on the wall clock. */
  readonly issuedBefore?: number | undefined;
}

/** The kinds of keys, each with what it is called in the log: ids of different kinds may be alike. */
const kinds = ['tokenId', 'userId', 'httpSessionId'] as const;

function namesOf(keys: IdentityKeys): string[] {
  return kinds.flatMap((kind) => (keys[kind] === undefined ? [] : [`${kind} ${keys[kind]}`]));
}

/**
 * The revocations of the last while. Whoever began to look somebody up before one of them must not go by the answer, which may be older;
 * and whose the credential is was not known then.
 */
export class RevocationLog {
  readonly #clock: Clock;
  readonly #keepMs: number;
  /** The mark of this moment: what is noted from now on comes after it. */
  mark = 0;
  #lastGap = 0;
  readonly #ended = new Map<string, Entry>();
  readonly #doubted = new Map<string, Entry>();
  /** What has ended by when it was issued. */
  readonly #outdated = new Map<string, Entry>();

  /** @param keepMs how long a look-up can take. */
  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** What has these keys has ended. */
  noteEnd(keys: IdentityKeys): void {
    this.#note(this.#ended, keys);
  }

  /** What has these keys may have ended; it has where it was issued before `issuedBefore`. */
  noteDoubt(keys: IdentityKeys, issuedBefore?: Date): void {
    this.#note(this.#doubted, keys);
    if (issuedBefore !== undefined) this.#note(this.#outdated, keys, issuedBefore.getTime());
  }

  /** Something may have been missed. */
  noteGap(): void {
    this.mark += 1;
    this.#lastGap = this.mark;
  }

  #note(entries: Map<string, Entry>, keys: IdentityKeys, moment?: number): void {
    const at = this.#clock.monotonic();
    this.mark += 1;
    for (const name of namesOf(keys)) {
      const issuedBefore = moment === undefined ? undefined : Math.max(moment, entries.get(name)?.issuedBefore ?? moment);
      entries.delete(name); // so that the oldest stay first
      entries.set(name, { sequence: this.mark, at, issuedBefore });
    }
    for (const [name, entry] of entries) {
      if (at - entry.at <= this.#keepMs) break;
      entries.delete(name);
    }
  }

  /** Which of `keys` ended after `mark`. */
  endedSince(mark: number, keys: IdentityKeys): keyof IdentityKeys | undefined {
    return kinds.find((kind) => keys[kind] !== undefined && isAfter(this.#ended.get(`${kind} ${keys[kind]}`), mark));
  }

  /** Whether what has these keys, and was issued at `issuedAt`, ended after `mark` by when it was issued. */
  isTooOldSince(mark: number, { userId }: IdentityKeys, issuedAt: Date | undefined): boolean {
    const end = userId === undefined ? undefined : this.#outdated.get(`userId ${userId}`);
    if (issuedAt === undefined || end?.issuedBefore === undefined) return false;
    return isAfter(end, mark) && issuedAt.getTime() < end.issuedBefore;
  }

  /** Whether what has these keys may have ended after `mark`. */
  isDoubtedSince(mark: number, keys: IdentityKeys): boolean {
    return this.#lastGap > mark || namesOf(keys).some((name) => isAfter(this.#doubted.get(name), mark));
  }
}

function isAfter(entry: Entry | undefined, mark: number): boolean {
  return entry !== undefined && entry.sequence > mark;
}
