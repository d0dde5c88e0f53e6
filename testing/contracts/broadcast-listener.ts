import type { Broadcaster } from '../../src/contracts/broadcaster.js';

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
  const waiting = new Set<() => void>();
  let gaps = 0;
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  const subscription = await broadcaster.subscribe(
    (group, data) => {
      heard.push({ group, data });
      wake();
    },
    () => {
      gaps += 1;
      wake();
    },
  );
  return {
    heard,
    get gaps() {
      return gaps;
    },
    until: (isTrue, what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!isTrue(heard, gaps)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${what} within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(subscription[Symbol.asyncDispose]()),
  };
}
