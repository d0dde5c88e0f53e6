/**
 * An error as it may be told: `ioredis` puts the command on it, and with that the password, what is in a session or for whom a ticket is. What is no
 * error becomes one.
 */
export function withoutCommand(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('Redis has failed.', { cause: error });
  if (!('command' in error || 'lastNodeError' in error)) return error;
  const told = new Error(error.message);
  told.name = error.name;
  if (error.stack !== undefined) told.stack = error.stack;
  return told;
}
