import { ChannelError } from '../errors.js';
import { awaitTurnEnd, type TurnWaiter } from '../turn-end.js';

/**
 * Sessions that a store has failed to remove. One that is away fails for thousands at once: those of one turn of the event loop are told of
 * together.
 */
export class FailedRemovals implements TurnWaiter {
  readonly #report: (error: unknown) => void;
  #errors: unknown[] = [];
  #telling: Promise<void> | undefined;
  #told: (() => void) | undefined;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Resolves once it is told: after the end of its channel, the process may end. */
  add(error: unknown): Promise<void> {
    this.#errors.push(error);
    this.#telling ??= new Promise((told) => {
      this.#told = told;
      awaitTurnEnd(this);
    });
    return this.#telling;
  }

  turnOver(): void {
    const [first, ...others] = this.#errors;
    this.#errors = [];
    this.#telling = undefined;
    const count = others.length + 1;
    const text = `The session store failed to destroy ${count} sessions.`;
    this.#report(count === 1 ? first : new ChannelError('ERR_SESSION_SAVE_FAILED', text, { cause: first }));
    this.#told?.();
  }
}
