import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionStore } from '../../src/contracts/session-store.js';

/** A store as far away as a database, and how often it was asked. */
export interface CountingStore {
  readonly store: SessionStore;
  /** The operations since the last call, in order. */
  operations(): string[];
}

/**
 * `store`, with each operation taking its way there and back: some turns of the event loop, so that writers meet.
 *
 * @param turnsOf how many turns one way takes; more or fewer each time, where writers are not to march in step.
 */
export function countingStore(store: SessionStore, turnsOf: () => number = () => 1): CountingStore {
  let asked: string[] = [];
  const far = async <T>(name: string, operation: () => Promise<T>): Promise<T> => {
    asked.push(name);
    for (let left = turnsOf(); left > 0; left -= 1) await nextTurn();
    try {
      return await operation();
    } finally {
      for (let left = turnsOf(); left > 0; left -= 1) await nextTurn();
    }
  };
  return {
    store: {
      load: (id) => far('load', () => store.load(id)),
      create: (id, session) => far('create', () => store.create(id, session)),
      save: (id, session, version) => far('save', () => store.save(id, session, version)),
      touch: (id, expiresAt) => far('touch', () => store.touch(id, expiresAt)),
      destroy: (id) => far('destroy', () => store.destroy(id)),
    },
    operations() {
      const operations = asked;
      asked = [];
      return operations;
    },
  };
}
