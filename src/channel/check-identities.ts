import type { BoundSource, UserSource } from '../identity/user-source.js';
import type { KnownRequirement } from './requirement-kinds.js';

/** What finds the user of a slot's messages. */
export interface Answer {
  readonly wrapper: string;
  readonly sources: readonly BoundSource[];
}

/**
 * Two wrappers of a slot that identify differently would mix one person's user with another's session and scopes.
 *
 * @param known the sources that identify the server's channels.
 * @throws {TypeError} when there are such wrappers, saying how to join their sources.
 */
export function checkIdentities(
  slot: string,
  requirements: readonly KnownRequirement[],
  known: readonly BoundSource[] | undefined,
  bind: (source: UserSource) => BoundSource,
): void {
  const answers: Answer[] = [];
  const own: Answer[] = []; // users found by themselves, beside the channel's
  let ofChannel: string | undefined;
  for (const requirement of requirements) {
    if (requirement.kind === 'identification') {
      answers.push({ wrapper: requirement.wrapper, sources: requirement.sources.map(bind) });
      ofChannel ??= requirement.wrapper;
    } else if (requirement.kind === 'user') {
      const { wrapper, source } = requirement;
      if (source === undefined) ofChannel ??= wrapper;
      else own.push({ wrapper, sources: [bind(source)] });
    }
  }
  checkAlike(slot, [...answers, ...own]);
  if (known !== undefined && meetsSession(requirements)) ofChannel ??= 'the channel session';
  if (ofChannel !== undefined) checkAlike(slot, [{ wrapper: ofChannel, sources: known ?? [] }, ...own]);
}

/** Whether a message that is given a user of its own surely has the channel session too: parts of `dispatchOn` may be apart. */
function meetsSession(requirements: readonly KnownRequirement[]): boolean {
  const isAlwaysOwn = requirements.some(({ kind, sometimes }) => kind === 'user' && sometimes !== true);
  return requirements.some(({ kind, sometimes }) => kind === 'session' && (isAlwaysOwn || sometimes !== true));
}

/** @throws {TypeError} when those among the answers of one slot identify differently. */
export function checkAlike(slot: string, [first, ...others]: readonly Answer[]): void {
  for (const other of others) {
    if (first === undefined || areSame(first.sources, other.sources)) continue;
    const joined = [...first.sources, ...other.sources];
    const each = joined.filter((source, index) => joined.findIndex((earlier) => isSame(earlier, source)) === index);
    throw new TypeError(
      `ChannelServer: ${first.wrapper} and ${other.wrapper} of ${slot} identify differently, and a message has one user: join their sources in ` +
        `one wrapper of connect, withUserFrom(${each.map(({ madeBy }) => madeBy).join(', ')}), each with its options, and use withChannelUser ` +
        'on later messages',
    );
  }
}

/**
 * Holds a wrapper that may be hidden from the server to what identifies the channel.
 *
 * @throws {TypeError} when it identifies differently.
 */
export function checkKnown(own: readonly BoundSource[], known: readonly BoundSource[]): void {
  if (own.length === known.length && own.every((source, index) => source === known[index])) return;
  checkAlike('connect', [
    { wrapper: 'what identifies the channel', sources: known },
    { wrapper: 'a wrapper that is called from a function of your own', sources: own },
  ]);
}

function areSame(some: readonly BoundSource[], others: readonly BoundSource[]): boolean {
  return some.length === others.length && some.every((source, index) => isSame(source, others[index]));
}

/** Whether two sources find the same users in the same way. */
export function isSame(one: BoundSource, other: BoundSource | undefined): boolean {
  if (one === other) return true;
  const { asks } = one;
  return one.source === other?.source && asks.length === other.asks.length && asks.every((part, index) => part === other.asks[index]);
}
