import type { VerifyClientCallbackAsync, VerifyClientCallbackSync } from 'ws';
import { whenDone } from '../maybe-promise.js';

/**
 * The application's `verifyClient`, made harmless: ws would take the promise of an async one for a yes, let its rejection end the process,
 * and throw out of a callback that is called twice. A promise's value is the answer where `verify` takes no callback.
 *
 * @param report is told of a rejection; the handshake is refused with 500 then.
 */
export function guardedVerifyClient(
  verify: VerifyClientCallbackAsync | VerifyClientCallbackSync,
  report: (error: unknown) => void,
): VerifyClientCallbackAsync {
  const takesCallback = verify.length === 2;
  return (info, done) => {
    let isAnswered = false;
    const answer: typeof done = (...answers) => {
      if (isAnswered) return;
      isAnswered = true;
      done(...answers);
    };
    const result: unknown = takesCallback ? verify(info, answer) : (verify as VerifyClientCallbackSync)(info);
    void whenDone(
      result,
      (verified) => {
        if (!takesCallback) answer(Boolean(verified));
      },
      (error: unknown) => {
        report(error);
        answer(false, 500);
      },
    );
  };
}
