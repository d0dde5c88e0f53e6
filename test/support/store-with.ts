import type { SessionStore } from '../../src/contracts/session-store.js';

/** `store`, with `others` in place of its own operations of that name. */
export function storeWith(store: SessionStore, others: Partial<SessionStore>): SessionStore {
  return {
    load: (id) => store.load(id),
    create: (id, session) => store.create(id, session),
    save: (id, session, version) => store.save(id, session, version),
    touch: (id, expiresAt) => store.touch(id, expiresAt),
    destroy: (id) => store.destroy(id),
    ...others,
  };
}
