import type { IncomingMessage } from 'node:http';
import type { VerifyClientCallbackAsync, VerifyClientCallbackSync } from 'ws';
import { whenDone } from '../maybe-promise.js';

/** What a guarded `verifyClient` needs of the endpoint that it guards. */
export interface VerifyClientGuard {
  /** Told of a rejection before there was an answer, and of an answer that cannot be given: the handshake is refused. */
  failed(request: IncomingMessage, error: unknown): void;
  /** Told of a rejection after the answer. */
  report(error: unknown): void;
  /** Whether the handshake still waits for an answer of ours. */
  mayAnswer(request: IncomingMessage): boolean;
}

/**
 * The application's `verifyClient`, made harmless: ws would take the promise of an async one for a yes, let its rejection end the process,
 * throw out of a callback that is called twice or with what cannot be sent, and answer what has been answered meanwhile. A promise's value
 * is the answer where `verify` takes no callback.
 */
export function guardedVerifyClient(
  verify: VerifyClientCallbackAsync | VerifyClientCallbackSync,
  guard: VerifyClientGuard,
): VerifyClientCallbackAsync {
  const takesCallback = verify.length === 2;
  return (info, done) => {
    let isAnswered = false;
    const answer: typeof done = (...answers) => {
      if (isAnswered) return;
      isAnswered = true;
      if (!guard.mayAnswer(info.req)) return;
      try {
        done(...answers);
      } catch (error) {
        guard.failed(info.req, error);
      }
    };
    const result: unknown = takesCallback ? verify(info, answer) : (verify as VerifyClientCallbackSync)(info);
    void whenDone(
      result,
      (verified) => {
        if (!takesCallback) answer(Boolean(verified));
      },
      (error: unknown) => {
        if (isAnswered) guard.report(error);
        else {
          isAnswered = true;
          guard.failed(info.req, error);
        }
      },
    );
  };
}
