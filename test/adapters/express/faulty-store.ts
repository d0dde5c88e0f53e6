import { MemoryStore, type SessionData } from 'express-session';

type Done = (error?: unknown, value?: unknown) => void;

/** What a faulty store does whenever it is called. */
export type Fault = 'down' | 'hangs' | 'throws' | 'answers twice' | undefined;

/** A store that fails as it is told to, and counts what it is asked. */
export class FaultyStore extends MemoryStore {
  fault: Fault;
  readonly calls: string[] = [];
  /** How many calls wait for an answer, at most. */
  mostInFlight = 0;
  #inFlight = 0;
  #unanswered: (() => void)[] = [];

  /** Answers what it has left unanswered, and everything from now on. */
  answer(): void {
    this.fault = undefined;
    for (const run of this.#unanswered.splice(0)) run();
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    this.#meet('get', callback as Done, (done) => super.get(id, done));
  }

  override set(id: string, session: SessionData, callback?: (error?: unknown) => void): void {
    this.#meet('set', callback as Done, (done) => super.set(id, session, done));
  }

  override touch(id: string, session: SessionData, callback?: () => void): void {
    this.#meet('touch', callback as Done, (done) => super.touch(id, session, done));
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.#meet('destroy', callback as Done, (done) => super.destroy(id, done));
  }

  #meet(name: string, callback: Done | undefined, run: (done: Done) => void): void {
    this.calls.push(name);
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const done: Done = (error, value) => {
      this.#inFlight -= 1;
      callback?.(error, value);
      if (this.fault === 'answers twice') callback?.(error, value);
    };
    const { fault } = this;
    if (fault === 'throws') throw new Error('the store threw');
    if (fault === 'hangs') this.#unanswered.push(() => run(done));
    else if (fault === 'down') setImmediate(done, new Error('the store is down'));
    else run(done);
  }
}
