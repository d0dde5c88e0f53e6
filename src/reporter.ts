import type { Clock } from './contracts/clock.js';
import type { ChannelError } from './errors.js';
import { ignore } from './maybe-promise.js';
import type { Message } from './messages.js';

/** Where a server tells what went wrong. */
export interface ReporterOptions {
  /**
   * Told of every error that a handler, repository or store caused, with the message at hand where there is one. What it throws is
   * ignored. @default `console.error` with code, message and stack
   */
  readonly onError?: ((error: unknown, message: Message | undefined) => void) | undefined;
  /**
   * Told of what is refused or risky and no error of this process: a refused origin (the text says which option would let it in), an
   * unguarded subprotocol, input or output past its bounds. What it throws is ignored. @default `process.emitWarning`, each kind at most
   * once a minute
   */
  readonly onWarning?: ((warning: ChannelError) => void) | undefined;
}

const warningIntervalMs = 60_000;
/** How many causes of an error are told: a chain of them may close on itself. */
const maxCauses = 8;

/** Tells the application, and survives whatever it does with that. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #clock: Clock;
  readonly #lastWarnings = new Map<string, number>();

  constructor(options: ReporterOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  error(error: unknown, message?: object): void {
    try {
      const { onError } = this.#options;
      // an async onError that rejects would end the process
      if (onError !== undefined) ignore(onError(error, message as Message | undefined));
      else console.error(describe(error));
    } catch {
      // the reporter of errors failed: there is nobody left to tell
    }
  }

  warn(warning: ChannelError): void {
    try {
      const { onWarning } = this.#options;
      if (onWarning !== undefined) ignore(onWarning(warning));
      else if (this.#isDue(warning.code)) process.emitWarning(warning.message, { type: 'WsWithWarning', code: warning.code });
    } catch {
      // as above
    }
  }

  #isDue(kind: string): boolean {
    const now = this.#clock.monotonic();
    const last = this.#lastWarnings.get(kind);
    if (last !== undefined && now - last < warningIntervalMs) return false;
    this.#lastWarnings.set(kind, now);
    return true;
  }
}

/** An error for the log: what it says and where, down its causes, and nothing that hangs on it as a property. */
function describe(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return `ws-with: a handler threw ${error === null ? 'null' : `a value of type ${typeof error}`}`;
  const code = (error as { code?: unknown }).code;
  const own = `ws-with: ${typeof code === 'string' ? `[${code}] ` : ''}${error.stack ?? error.message}`;
  return error.cause instanceof Error && depth < maxCauses ? `${own}\n  caused by ${describe(error.cause, depth + 1)}` : own;
}
