import type { Authentication, AuthenticationOutcome, SourceName } from './authentication.js';
import type { Clock } from './contracts/clock.js';
import { ChannelError } from './errors.js';
import { ignore, ignorePromise } from './maybe-promise.js';
import type { Message } from './messages.js';
import type { ErrorCode } from './outcomes.js';
import { describeThrown } from './thrown.js';

/** Where a server tells what went wrong. */
export interface ReporterOptions {
  /**
   * Told of every error that a handler, repository or store caused, with the message at hand if there is one. What it throws is ignored.
   *
   * @default `console.error` with code, message and stack
   */
  readonly onError?: ((error: unknown, message: Message | undefined) => void) | undefined;
  /**
   * Told of what is refused or risky, and not an error of this process: a refused origin (the text says which option would let it in), an
   * unguarded subprotocol, input or output past its bounds, clients of a source that ends, a feed that fails. Refused anonymous clients are
   * told at most once a minute for each outcome, with a count of those left out. What it throws is ignored.
   *
   * @default `process.emitWarning`, each kind at most once a minute
   */
  readonly onWarning?: ((warning: ChannelError) => void) | undefined;
}

const warningIntervalMs = 60_000;

/** Why a client is anonymous, for whoever reads the log. */
const reasons: Readonly<Record<AuthenticationOutcome, string>> = {
  missing: 'it presented nothing where the sources look for a credential (for tokens the option from, by default the cookie key)',
  malformed: 'what it presented cannot be a credential',
  unknown: 'there is no such token or session',
  expired: 'what it presented has expired',
  revoked: 'what it presented was revoked',
  'inactive-user': 'its user was deleted or disabled',
  ok: 'its user is authenticated no more',
};

function reasonFor(outcome: AuthenticationOutcome, source: SourceName | undefined): string {
  return outcome === 'missing' && source !== undefined ? 'nobody is logged in there' : reasons[outcome];
}

/** Tells the application, and survives whatever it does with that. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #clock: Clock;
  readonly #lastWarnings = new Map<string, { readonly at: number; leftOut: number }>();

  constructor(options: ReporterOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  error(error: unknown, message?: object): void {
    ignorePromise(error);
    try {
      const { onError } = this.#options;
      // an async onError that rejects would end the process
      if (onError !== undefined) ignore(onError(error, message as Message | undefined));
      else console.error(`ws-with: ${describeThrown(error)}`);
    } catch (thrown) {
      ignorePromise(thrown); // the reporter of errors failed: there is nobody left to tell
    }
  }

  warn(warning: ChannelError): void {
    if (this.#options.onWarning !== undefined || this.#dueAfter(warning.code) !== undefined) this.#tell(warning);
  }

  #tell(warning: ChannelError): void {
    try {
      const { onWarning } = this.#options;
      if (onWarning !== undefined) ignore(onWarning(warning));
      else process.emitWarning(warning.message, { type: 'WsWithWarning', code: warning.code });
    } catch (thrown) {
      ignorePromise(thrown); // as above
    }
  }

  /**
   * An anonymous client was refused.
   *
   * @param authentication how it was identified; `undefined` where no wrapper of the server identifies.
   */
  anonymousRefused(authentication: Pick<Authentication, 'outcome' | 'source' | 'hasSourceEnded'> | undefined): void {
    const { outcome = 'missing', source, hasSourceEnded } = authentication ?? {};
    const of = source === undefined ? '' : ` of the source ${source}`;
    this.#tellSeldom('ERR_AUTHENTICATION_REQUIRED', `${outcome}${of} ${hasSourceEnded}`, 'were refused', () => {
      const reason = hasSourceEnded === true ? 'that source has ended (option until)' : reasonFor(outcome, source);
      return `An anonymous client was refused, outcome ${outcome}${of}: ${reason}.`;
    });
  }

  /**
   * Somebody was identified by a source that ends, or was not since it has ended.
   *
   * @param until when it ends; `undefined` where it has.
   */
  sourceEnding(source: string, until: Date | undefined): void {
    this.#tellSeldom('ERR_SOURCE_ENDING', `${until === undefined} ${source}`, 'came', () =>
      until === undefined
        ? `A client presented what would count, had its source ${source} not ended (option until).`
        : `A client was identified by the source ${source}, which ends at ${until.toISOString()} (option until): from then on it counts no more.`,
    );
  }

  /** A user or an address has as many channels as it may. */
  tooManyChannels(whose: 'user' | 'address'): void {
    const option = whose === 'user' ? 'maxChannelsPerUser' : 'maxChannelsPerAddress';
    const text = `A client was refused: its ${whose} has as many channels as ${option} lets it.`;
    this.#tellSeldom('ERR_TOO_MANY_CHANNELS', whose, 'were refused', () => text);
  }

  /**
   * Tells what clients cause at will: seldom, and how often it happened meanwhile.
   *
   * @param kind what counts as the same, beside the code.
   * @param happened what befell the clients that are counted.
   */
  #tellSeldom(code: ErrorCode, kind: string, happened: 'came' | 'were refused', text: () => string): void {
    const leftOut = this.#dueAfter(`${code} ${kind}`);
    if (leftOut === undefined) return;
    const more = leftOut === 0 ? '' : ` ${leftOut} more ${happened} so since the last such warning.`;
    this.#tell(new ChannelError(code, `${text()}${more}`));
  }

  /** How many warnings of `kind` were left out before this one; `undefined` where it is left out itself. */
  #dueAfter(kind: string): number | undefined {
    const now = this.#clock.monotonic();
    const last = this.#lastWarnings.get(kind);
    if (last !== undefined && now - last.at < warningIntervalMs) {
      last.leftOut += 1;
      return undefined;
    }
    this.#lastWarnings.set(kind, { at: now, leftOut: 0 });
    return last?.leftOut ?? 0;
  }
}
