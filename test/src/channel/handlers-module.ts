/** Handlers as a module exports them, beside something else. */
export function receive(): void {}

export function helper(): void {}
