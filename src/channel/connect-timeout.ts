import { ChannelError } from '../errors.js';

/** How many look-ups, loads and saves a connect waits for: it decides what the client is told when time runs out. */
export interface ConnectWaits {
  readonly lookUps: number;
  readonly loads: number;
  readonly saves: number;
}

/** The error of a connect that was not done within `ms` milliseconds: it depends on whom it waits for. */
export function connectTimeout({ saves, loads, lookUps }: ConnectWaits, ms: number): ChannelError {
  if (saves > 0) return tooLong('ERR_SESSION_SAVE_FAILED', 'Saving the session of a channel', ms);
  if (lookUps > 0) return tooLong('ERR_LOOKUP_TIMEOUT', 'Looking up the user of a channel', ms);
  if (loads > 0) return tooLong('ERR_SESSION_LOAD_FAILED', 'Loading the session of a channel', ms);
  return tooLong('ERR_CONNECT_TIMEOUT', 'The connect handler', ms);
}

function tooLong(code: ChannelError['code'], what: string, ms: number): ChannelError {
  return new ChannelError(code, `${what} took longer than connectTimeoutMs (${ms}).`);
}
