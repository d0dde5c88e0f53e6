import { inspect } from 'node:util';
import type { JsonValue } from '../contracts/session-store.js';
import type { ChannelSession } from '../messages.js';
import { applyStep, type Change, type Changes, type SessionData, type Step } from './changes.js';
import { frozenJson } from './json-value.js';

/** What a draft needs of the session that it is made of. */
export interface DraftSource {
  /** The last committed data. */
  readonly data: SessionData;
  /** Reads the record anew. */
  reload(): Promise<void>;
}

/** One message's view of the channel session: the committed data that it saw first, and its own changes. */
export class SessionDraft implements ChannelSession {
  readonly #source: DraftSource;
  #base: SessionData;
  #changes: Map<string, Change> | undefined;

  constructor(source: DraftSource) {
    this.#source = source;
    this.#base = source.data;
  }

  /** The data that the changes were made on. */
  get base(): SessionData {
    return this.#base;
  }

  /** What this message changed and nobody has saved yet. */
  get changes(): Changes | undefined {
    return this.#changes;
  }

  get(key: string): never | undefined {
    const change = this.#changes?.get(key);
    if (change === undefined) return this.#base.get(key) as never | undefined;
    return change.kind === 'delete' ? undefined : (change.value as never);
  }

  set(key: string, value: unknown): void {
    const frozen = frozenJson(value, `channelSession.set('${checkedKey(key)}')`);
    if (this.#current(key) === frozen && this.#changes?.get(key)?.kind !== 'update') return;
    this.#change(key, { kind: 'set', value: frozen });
  }

  has(key: string): boolean {
    return this.#current(key) !== undefined;
  }

  delete(key: string): void {
    if (this.#current(key) !== undefined) this.#change(checkedKey(key), { kind: 'delete' });
  }

  update(key: string, change: (value: never) => unknown): void {
    if (typeof change !== 'function') throw new TypeError(`channelSession.update: change must be a function, got ${typeof change}`);
    checkedKey(key); // not below: without changes it would not be reached
    const before = this.#changes?.get(key);
    const value = applyStep(change, this.#current(key), key);
    if (before !== undefined && before.kind !== 'update') {
      this.#change(key, { kind: 'set', value }); // it builds on a value that this message set, so it is as blind as that
      return;
    }
    const steps: readonly Step[] = before === undefined ? [change] : [...before.steps, change];
    this.#change(key, { kind: 'update', value, steps });
  }

  async reload(): Promise<void> {
    await this.#source.reload();
    this.discard();
  }

  /** Drops all changes and sees the committed data anew. */
  discard(): void {
    this.#base = this.#source.data;
    this.#changes = undefined;
  }

  #current(key: string): JsonValue | undefined {
    return this.get(key) as JsonValue | undefined;
  }

  #change(key: string, change: Change): void {
    this.#changes ??= new Map();
    this.#changes.set(key, change);
  }

  toJSON(): object {
    const values = new Map(this.#base);
    for (const [key, change] of this.#changes ?? []) {
      if (change.kind === 'delete') values.delete(key);
      else values.set(key, change.value);
    }
    return Object.fromEntries(values);
  }

  [inspect.custom](): string {
    return `ChannelSession ${inspect(this.toJSON())}`;
  }
}

function checkedKey(key: unknown): string {
  if (typeof key !== 'string') throw new TypeError(`channelSession: a key must be a string, got ${typeof key}`);
  return key;
}
