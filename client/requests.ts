import { checkNumber, jsonOf } from './checked-client-options.js';
import type { ClientClock, RequestOptions } from './client-options.js';
import type { ClientData } from './socket.js';

/** The server answered a request with an error: a `ClientError` of its handler. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** What went wrong, as the handler names it. */
  readonly code: string;
  /** All that the answer says beside the number, `error` included. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>>) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

type Answer = Readonly<Record<string, unknown>>;

interface Pending {
  readonly text: string;
  readonly settle: (answer: Answer) => void;
  readonly fail: (reason: unknown) => void;
}

/** Numbered messages that wait for their answers, and are sent again on each new connection until they have them. */
export class Requests {
  readonly #pending = new Map<string, Pending>();
  readonly #life: AbortSignal;
  readonly #clock: ClientClock;
  readonly #send: (data: ClientData) => void;
  /** Other clients of the same session number theirs too. */
  readonly #prefix = `${Math.random()}-`;
  #count = 0;

  constructor(clock: ClientClock, life: AbortSignal, send: (data: ClientData) => void) {
    this.#clock = clock;
    this.#life = life;
    this.#send = send;
    // one listener for all: Node takes more than ten for a leak, and warns
    life.addEventListener('abort', () => {
      for (const pending of this.#pending.values()) pending.fail(life.reason);
    });
  }

  newId(): string {
    this.#count += 1;
    return this.#prefix + this.#count;
  }

  async start(data: object, { timeoutMs = 30_000, signal }: RequestOptions): Promise<unknown> {
    checkNumber('timeoutMs', timeoutMs);
    const id = this.newId();
    const text = JSON.stringify({ ...(JSON.parse(jsonOf(data, '{')) as object), requestId: id });
    const over = new AbortController();
    try {
      const { requestId: _, ...answer } = await new Promise<Answer>((settle, fail) => {
        this.#life.throwIfAborted();
        signal?.throwIfAborted();
        signal?.addEventListener('abort', () => fail(signal.reason), over);
        over.signal.addEventListener(
          'abort',
          this.#clock.setTimer(() => fail(new DOMException('no answer', 'TimeoutError')), timeoutMs),
        );
        this.#pending.set(id, { text, settle, fail });
        this.#send(text);
      });
      if ('error' in answer) throw new RequestError(String(answer['error']), answer);
      return answer['result'];
    } finally {
      over.abort();
      this.#pending.delete(id);
    }
  }

  /** Whether `data` was the answer to one of them. */
  answered(data: unknown): boolean {
    // most messages are no answers, and need not be parsed
    if (typeof data !== 'string' || !data.includes(this.#prefix)) return false;
    try {
      const answer = JSON.parse(data) as Answer | null;
      const id = String(answer?.['requestId']);
      this.#pending.get(id)?.settle(answer as Answer);
      // a late answer to one that was given up is nobody's
      return id.startsWith(this.#prefix);
    } catch {
      return false;
    }
  }

  /** Sends all of them again, in order. */
  sendAll(): void {
    for (const pending of this.#pending.values()) this.#send(pending.text);
  }
}
