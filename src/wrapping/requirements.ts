/**
 * What a wrapped handler needs of the server that runs it: each wrapper leaves an entry on the function that it returns, outermost
 * first, so that a server knows before the first message what to resolve, check and prepare. The layers above say which kinds
 * there are.
 */
export interface Requirement {
  readonly kind: string;
  /** Set where only some messages of the slot come this way (a part of `dispatchOn`). */
  readonly sometimes?: boolean;
}

const carried: unique symbol = Symbol('ws-with.requirements');

interface Carrier {
  readonly [carried]?: { readonly all: readonly Requirement[]; readonly own: readonly Requirement[] };
}

/** What `handler` and all that it wraps need. */
export function requirementsOf(handler: object): readonly Requirement[] {
  return (handler as Carrier)[carried]?.all ?? [];
}

/** What the outermost wrapper of `handler` needs, without what is inside it. */
export function outermostRequirementsOf(handler: object): readonly Requirement[] {
  return (handler as Carrier)[carried]?.own ?? [];
}

/** `handler` itself, now carrying what its outermost wrapper needs, and what is inside that. */
export function carryRequirements<Target extends object>(
  handler: Target,
  own: readonly Requirement[],
  inner: readonly Requirement[],
): Target {
  return Object.defineProperty(handler, carried, { value: { all: [...own, ...inner], own }, configurable: true });
}
