import type { Clock } from './contracts/clock.js';
import type { ChannelError } from './errors.js';
import { ignore, ignoreThrown } from './maybe-promise.js';
import type { Message } from './messages.js';
import { describeThrown } from './thrown.js';

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
    ignoreThrown(error);
    try {
      const { onError } = this.#options;
      // an async onError that rejects would end the process
      if (onError !== undefined) ignore(onError(error, message as Message | undefined));
      else console.error(`ws-with: ${describeThrown(error)}`);
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
