/** What is to be done when a channel begins to end, by channel. */
const steps = new WeakMap<object, Set<(channel: object) => void>>();

/** Calls `step` as soon as `channel` begins to end, which it must not have; the same one once. It costs less than a listener of its signal. */
export function whenEnding(channel: object, step: (channel: object) => void): void {
  const known = steps.get(channel);
  if (known === undefined) steps.set(channel, new Set([step]));
  else known.add(step);
}

/** `step` is not to be done any more. */
export function notWhenEnding(channel: object, step: (channel: object) => void): void {
  const known = steps.get(channel);
  if (known?.delete(step) === true && known.size === 0) steps.delete(channel);
}

/** `channel` begins to end. */
export function tellEnding(channel: object): void {
  const known = steps.get(channel);
  if (known === undefined) return;
  steps.delete(channel);
  for (const step of known) step(channel);
}
