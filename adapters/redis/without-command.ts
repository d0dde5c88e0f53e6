import { bareError } from '../../src/bare-error.js';

/**
 * An error as it may be told: `ioredis` puts the command on it, and with that the password, what is in a session or for whom a ticket is.
 * What is no error becomes one.
 */
export function withoutCommand(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('Redis has failed.', { cause: error });
  return 'command' in error || 'lastNodeError' in error ? bareError(error) : error;
}
