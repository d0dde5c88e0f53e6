/** A command was called without what it needs, or with what does not serve. */
export class UsageError extends Error {}
