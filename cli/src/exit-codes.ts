/**
 * What the process ends with: what was asked for was done; it was not, or not with all files; the call was wrong; `migrate --check` found
 * something to do.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, toDo: 3 } as const;
