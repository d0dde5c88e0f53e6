import { foundOrMade } from '../found-or-made.js';

/** What is to be done when a channel begins to end, or a message is given up, by that. */
const steps = new WeakMap<object, Set<(ending: object) => void>>();
const noSteps = (): Set<(ending: object) => void> => new Set();

/**
 * Calls `step` as soon as `subject` begins to end, which it must not have; the same one once. It costs less than a listener of a signal.
 */
export function whenEnding(subject: object, step: (ending: object) => void): void {
  foundOrMade(steps, subject, noSteps).add(step);
}

/** `step` is not to be done any more. */
export function notWhenEnding(subject: object, step: (ending: object) => void): void {
  const known = steps.get(subject);
  if (known?.delete(step) === true && known.size === 0) steps.delete(subject);
}

/** A channel begins to end, or nothing will come of a message any more. */
export function tellEnding(subject: object): void {
  const known = steps.get(subject);
  if (known === undefined) return;
  steps.delete(subject);
  for (const step of known) step(subject);
}
