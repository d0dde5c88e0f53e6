import { inspect } from 'node:util';
import type { JsonValue } from '../contracts/session-store.js';
import { kindOf } from '../kind-of.js';
import type { ChannelSession } from '../messages.js';
import { tagged } from '../tagged.js';
import { applyUpdater, type Change, type Changes, type Updater } from './changes.js';
import { frozenJson } from './json-value.js';
import { objectOf, type SessionData, type Snapshot } from './session-data.js';

/** What a draft needs of the session that it is made of. */
export interface DraftSource {
  /** The last committed values; they may change at once. */
  readonly values: Snapshot;
  /** The last committed values, which stay as they are until they are released. */
  hold(): Snapshot;
  release(held: Snapshot): void;
  /** Reads the record anew. */
  reload(): Promise<void>;
}

/**
 * One message's view of the channel session: the values that were committed when it began, and its own changes. Once the message is over
 * it is sealed: what is read is what was committed last, and a change is a mistake.
 */
export class SessionDraft implements ChannelSession {
  readonly #source: DraftSource;
  readonly #onReload: ((reloading: Promise<void>) => Promise<void> | undefined) | undefined;
  /** `undefined` once sealed. */
  #base: Snapshot | undefined;
  /** How many reloads are under way: each drops what was changed before it ends. */
  #reloads = 0;
  /** What is changed, where it is a single key, as it is of most messages: a map would cost more than all else here. */
  #change: Change | undefined;
  /** What is changed, where several keys are. */
  #changes: Map<string, Change> | undefined;

  /** @param onReload is given each reload, and gives what is to be waited for instead, if anything is. */
  constructor(source: DraftSource, onReload?: (reloading: Promise<void>) => Promise<void> | undefined) {
    this.#source = source;
    this.#onReload = onReload;
    this.#base = source.hold();
  }

  /** What this message changed and nobody has saved yet. */
  get changes(): Changes | undefined {
    if (this.#change !== undefined) return [this.#change];
    return this.#changes === undefined ? undefined : [...this.#changes.values()];
  }

  /** Whether there are {@link changes}. */
  get isChanged(): boolean {
    return this.#change !== undefined || this.#changes !== undefined;
  }

  /** Whether nobody has committed anything since this message began: its changes are then on top of the newest values as they are. */
  isOn(newest: Snapshot): boolean {
    return this.#base === newest;
  }

  get(key: string): never | undefined {
    return this.#current(key) as never | undefined;
  }

  set(key: string, value: unknown): void {
    const base = this.#open('set');
    const frozen = frozenJson(value, 'channelSession.set', checkedKey(key));
    const before = this.#find(key);
    if (before === undefined) {
      const seen = base.get(key);
      if (seen !== frozen) this.#put({ key, value: frozen, seen, updaters: undefined });
    } else if (before.value !== frozen || before.updaters !== undefined) {
      this.#put({ key, value: frozen, seen: before.seen, updaters: undefined });
    }
  }

  has(key: string): boolean {
    return this.#current(key) !== undefined;
  }

  delete(key: string): void {
    const base = this.#open('delete');
    if (this.#current(key) === undefined) return;
    const before = this.#find(key);
    this.#put({ key, value: undefined, seen: before === undefined ? base.get(key) : before.seen, updaters: undefined });
  }

  update(key: string, change: (value: never) => unknown): void {
    const base = this.#open('update');
    if (typeof change !== 'function') throw new TypeError(`channelSession.update: change must be a function, got ${kindOf(change)}`);
    checkedKey(key); // not below: without changes it would not be reached
    const before = this.#find(key);
    if (before === undefined) {
      const seen = base.get(key);
      this.#put({ key, value: applyUpdater(change, seen, key), seen, updaters: [change] });
      return;
    }
    const value = applyUpdater(change, before.value, key);
    // what builds on a value that this message set or deleted is as blind as that
    const updaters: readonly Updater[] | undefined = before.updaters === undefined ? undefined : [...before.updaters, change];
    this.#put({ key, value, seen: before.seen, updaters });
  }

  /** @throws {TypeError} (as a rejection) once the message is over. */
  async reload(): Promise<void> {
    if (this.#base === undefined) throw tooLate('reload');
    this.#reloads += 1;
    try {
      const reloading = this.#source.reload();
      await (this.#onReload?.(reloading) ?? reloading);
    } finally {
      this.#reloads -= 1;
    }
    this.discard();
  }

  /** Drops all changes and sees the committed values anew. */
  discard(): void {
    if (this.#base === undefined) return;
    this.#source.release(this.#base);
    this.#base = this.#source.hold();
    this.#forget();
  }

  #forget(): void {
    this.#change = undefined;
    this.#changes = undefined;
  }

  /** The message is over: nothing can be changed any more. Returns what it changed. */
  seal(): Changes | undefined {
    if (this.#base === undefined) return undefined;
    this.#source.release(this.#base);
    this.#base = undefined;
    const { changes } = this;
    this.#forget();
    return changes;
  }

  /** As {@link seal}, and what it changed becomes of `data`, whose newest values it must be on. */
  sealInto(data: SessionData): void {
    if (this.#base === undefined) return;
    this.#source.release(this.#base);
    this.#base = undefined;
    if (this.#change !== undefined) data.put(this.#change.key, this.#change.value);
    else if (this.#changes !== undefined) for (const { key, value } of this.#changes.values()) data.put(key, value);
    this.#forget();
  }

  /** The values to change. */
  #open(method: string): Snapshot {
    if (this.#base === undefined) throw tooLate(method);
    if (this.#reloads > 0)
      throw new TypeError(`channelSession.${method}: it is being reloaded, and the change would be lost with that; await reload() first`);
    return this.#base;
  }

  #current(key: string): JsonValue | undefined {
    const change = this.#find(key);
    return change === undefined ? (this.#base ?? this.#source.values).get(key) : change.value;
  }

  #find(key: string): Change | undefined {
    return this.#change?.key === key ? this.#change : this.#changes?.get(key);
  }

  #put(change: Change): void {
    if (this.#changes !== undefined) this.#changes.set(change.key, change);
    else if (this.#change === undefined || this.#change.key === change.key) this.#change = change;
    else {
      this.#changes = new Map([
        [this.#change.key, this.#change],
        [change.key, change],
      ]);
      this.#change = undefined;
    }
  }

  toJSON(): object {
    return objectOf(this.#base ?? this.#source.values, this.changes);
  }

  [inspect.custom](): string {
    return `ChannelSession ${inspect(this.toJSON())}`;
  }
}

tagged('ChannelSession', SessionDraft.prototype);

// What is written to a property that no session has would be lost. This stands behind the class's own members, where only such a write
// comes, and no method can be replaced. It costs a session nothing, where an object that takes no properties is made so each time, and it
// also speaks up in code that is not strict.
Object.setPrototypeOf(
  SessionDraft.prototype,
  new Proxy(Object.create(Object.prototype), {
    set(_target, name): never {
      throw new TypeError(`channelSession has no property ${String(name)}; use channelSession.set(${JSON.stringify(String(name))}, …)`);
    },
  }),
);
Object.freeze(SessionDraft.prototype);

function tooLate(method: string): TypeError {
  return new TypeError(`channelSession.${method}: its message is over, and the change would be lost; await what the handler starts`);
}

function checkedKey(key: unknown): string {
  if (typeof key !== 'string') throw new TypeError(`channelSession: a key must be a string, got ${kindOf(key)}`);
  return key;
}
