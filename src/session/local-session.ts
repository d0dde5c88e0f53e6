import { rebase } from './changes.js';
import type { ChannelRecord } from './channel-record.js';
import { SessionData, type Snapshot } from './session-data.js';
import type { SessionDraft } from './session-draft.js';

/** A channel's own session where there is no store: it lives on the channel alone, and nothing is waited for. */
export class LocalSession implements ChannelRecord {
  readonly #data = new SessionData();

  get values(): Snapshot {
    return this.#data.values;
  }

  hold(): Snapshot {
    return this.#data.hold();
  }

  release(held: Snapshot): void {
    this.#data.release(held);
  }

  get shared(): object {
    return this;
  }

  get outlivesChannel(): boolean {
    return false;
  }

  load(): undefined {
    return undefined;
  }

  async reload(): Promise<void> {}

  commit(draft: SessionDraft): undefined {
    if (draft.isOn(this.#data.values)) draft.sealInto(this.#data);
    else {
      const changes = draft.seal();
      if (changes !== undefined) this.#data.apply(rebase(changes, this.#data.values));
    }
    return undefined;
  }

  end(): undefined {
    return undefined;
  }
}
