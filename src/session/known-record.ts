import type { Clock } from '../contracts/clock.js';
import type { Events } from '../events.js';
import type { Changes } from './changes.js';
import type { SessionRow } from './check-stored-session.js';
import { objectOf, SessionData } from './session-data.js';
import { randomSessionId } from './session-id.js';
import type { SessionSettings } from './session-settings.js';
import type { ReadRecord } from './stored-record.js';

/** What a record needs of the server that it lives in. */
export interface RecordContext {
  readonly settings: SessionSettings;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random` gives it: spreads the attempts of those who write one record. */
  readonly random: () => number;
  /** The deadline of each operation, in milliseconds. */
  readonly deadlineMs: number;
  readonly events: Events;
  report(error: unknown): void;
}

/** A record of a store as this process knows it: its newest values, and which version of the stored ones they are. */
export abstract class KnownRecord {
  readonly data: SessionData = new SessionData();
  /** Derived: shared with other channels, and kept when they end. */
  readonly isShared: boolean;
  protected readonly context: RecordContext;
  #id: string | undefined;
  #version = 0;
  /** When it was created: one created at another time is not ours. */
  #birth: number | undefined;
  /** When it was last saved or touched, on the monotonic clock: the other one may jump. */
  #refreshedAt = 0;
  #isGone = false;

  /** @param sharedId the derived id; without one, the record is a channel's own. */
  constructor(context: RecordContext, sharedId?: string) {
    this.context = context;
    this.isShared = sharedId !== undefined;
    this.#id = sharedId;
  }

  /** `undefined` where it is a channel's own and was never written. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Version of the record in the store; 0 where there is none of ours. */
  get version(): number {
    return this.#version;
  }

  /** Whether somebody destroyed it, or it has expired: it stays so, and there may be another of its id. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The id of a record that was neither saved nor touched since `before`, and that must be. */
  dueForTouch(before: number): string | undefined {
    return this.#version > 0 && !this.#isGone && this.#refreshedAt <= before ? this.#id : undefined;
  }

  /** Notes that the record was touched. */
  touched(at: number): void {
    this.#refreshedAt = at;
  }

  /** Its id, from here on. */
  protected named(): string {
    this.#id ??= randomSessionId();
    return this.#id;
  }

  /** The record as it is to be written on top of `version`, with `changes`. */
  protected with(changes: Changes, version: number): SessionRow {
    const { clock, settings } = this.context;
    const now = Math.trunc(clock.now()); // a store keeps dates, which have no fractions
    return {
      version: version + 1,
      data: objectOf(this.data.values, changes),
      createdAt: this.#birth ?? now,
      expiresAt: now + settings.ttlMs,
    };
  }

  /** The record is written. */
  protected wrote({ version, createdAt }: SessionRow, changes: Changes): void {
    this.data.apply(changes);
    this.#version = version;
    this.#birth = createdAt;
    this.#refreshedAt = this.context.clock.monotonic();
  }

  /** What the store has, or that it has nothing that could be read. */
  protected met(found: ReadRecord | undefined): void {
    // one of another birth is no successor: what is written now would be mixed from both
    if (this.#version > 0 && found?.birth !== this.#birth) this.vanish();
    else if (found !== undefined) this.#adopt(found);
  }

  #adopt({ version, values, birth, expiresAt }: ReadRecord): void {
    const { clock, settings } = this.context;
    const age = Math.min(Math.max(clock.now() + settings.ttlMs - expiresAt, 0), settings.ttlMs);
    this.#refreshedAt = clock.monotonic() - age;
    if (version === this.#version) return;
    this.data.replace(values);
    this.#version = version;
    this.#birth = birth;
  }

  protected vanish(): void {
    this.#isGone = true;
    this.data.replace();
  }
}
