/** What of `error` may be told: not what its package has put on it beside name, message and stack. */
export function bareError(error: Error): Error {
  const told = new Error(error.message);
  told.name = error.name;
  if (error.stack !== undefined) told.stack = error.stack;
  return told;
}
