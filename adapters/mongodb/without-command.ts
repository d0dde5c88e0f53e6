import { serverCodeOf, serverCodes } from './server-codes.js';

/**
 * An error as it may be told. The server quotes what a user may not run, and what the rules of a collection do not let pass; the driver has
 * documents of a bulk write on it. With that come what is in a session, what people said, or for whom a ticket is.
 */
export function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isUnauthorized = serverCodeOf(error) === serverCodes.unauthorized;
  if (!isUnauthorized && !('errInfo' in error) && !('writeErrors' in error)) return error;
  const message = withoutDocument(error.message);
  const told = Object.assign(new Error(message), { name: error.name, code: Reflect.get(error, 'code') });
  if (error.stack !== undefined) told.stack = error.stack.replace(error.message, () => message);
  return told;
}

/** What is told of a command is which, and on which collection. */
function withoutDocument(message: string): string {
  const [before = '', ...quoted] = message.split('{');
  if (quoted.length === 0) return message;
  const [, command, collection] = /^ (\w+): (?:"([^"]+)")?/.exec(quoted.join('{')) ?? [];
  return [before.trim(), command, collection === undefined ? '' : `on ${collection}`].filter(Boolean).join(' ');
}
