import type { ChangeStream } from 'mongodb';
import type { Clock } from '../../src/contracts/clock.js';
import { setFairTimer } from '../../src/time/fair-timer.js';

/**
 * The server answers a change stream once a second, were it to say that there is nothing; a line that was cut in silence says not even
 * that.
 */
const silentMs = 15_000;

/**
 * Calls `onSilent` once nothing has come of the server on `stream` for 15 to 30 s. The driver would wait until the system gives the
 * connection up, which takes a quarter of an hour, and for ever where a proxy keeps it.
 *
 * @returns what ends the watch.
 */
export function watchSilence(stream: ChangeStream, clock: Clock, onSilent: () => void): () => void {
  let isHeard = false;
  const heard = (): void => {
    isHeard = true;
  };
  stream.on('resumeTokenChanged', heard); // with each change, and with each answer that has none
  const look = (): void => {
    if (!isHeard) {
      onSilent();
      return;
    }
    isHeard = false;
    cancel = setFairTimer(clock, look, silentMs);
  };
  let cancel = setFairTimer(clock, look, silentMs);
  return () => {
    stream.off('resumeTokenChanged', heard);
    cancel();
  };
}
