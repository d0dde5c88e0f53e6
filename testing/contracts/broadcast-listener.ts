import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import { Waiting } from './waiting.js';

/** One message as a subscriber heard it. */
export interface Heard {
  readonly group: string;
  readonly data: string | Uint8Array;
}

/** A subscriber that remembers, and waits for what is to come. */
export interface BroadcastListener extends AsyncDisposable {
  /** All that was heard so far, in order. */
  readonly heard: readonly Heard[];
  readonly gaps: number;
  /** Resolves once `isTrue` holds of what was heard; rejects where it does not in time. */
  until(isTrue: (heard: readonly Heard[], gaps: number) => boolean, what: string): Promise<void>;
}

/** Subscribes to `broadcaster`; each wait lasts `timeoutMs` milliseconds at most. */
export async function listenTo(broadcaster: Broadcaster, timeoutMs = 10_000): Promise<BroadcastListener> {
  const heard: Heard[] = [];
  const waiting = new Waiting(timeoutMs);
  let gaps = 0;
  const subscription = await broadcaster.subscribe(
    (group, data) => {
      heard.push({ group, data });
      waiting.wake();
    },
    () => {
      gaps += 1;
      waiting.wake();
    },
  );
  return {
    heard,
    get gaps() {
      return gaps;
    },
    until: (isTrue, what) => waiting.until(() => isTrue(heard, gaps), what),
    [Symbol.asyncDispose]: () => Promise.resolve(subscription[Symbol.asyncDispose]()),
  };
}
