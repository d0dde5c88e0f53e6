import { resolveFrom } from '../dependencies.js';
import { type DependencyContainer, container as globalContainer } from '../injection.js';
import { kindOf } from '../kind-of.js';
import { checkedHandler, roleOf } from '../wrapping/made-function.js';
import { outermostRequirementsOf, requirementsOf } from '../wrapping/requirements.js';
import { checkSlotNames, type SlotName, slotNames } from './check-slot-names.js';
import type { KnownRequirement } from './requirement-kinds.js';

/** A slot of a server: its handler with its `this`. */
export type SlotFunction = (message: object) => unknown;

/** The handlers of a server as they were given, looked at once. */
export interface Slots {
  readonly functions: Readonly<Record<SlotName, SlotFunction | undefined>>;
  readonly requirements: Readonly<Record<SlotName, readonly KnownRequirement[]>>;
  /** Whether the outermost wrapper of connect identifies: nothing comes before it. */
  readonly identifiesFirst: boolean;
}

/**
 * The slots of handlers given as an object, an instance, or a class that the container resolves.
 *
 * @throws {TypeError} when there is no handler among them, or something that is none: a wrapper without its handler, a slot misspelt.
 */
export function slotsOf(handlers: unknown, container: DependencyContainer | undefined): Slots {
  if (typeof handlers === 'function' && (roleOf(handlers) !== undefined || !Object.hasOwn(handlers, 'prototype'))) {
    throw new TypeError(
      'ChannelServer: handlers must be an object, an instance or a class, got a function that is none of these: write { receive: … }',
    );
  }
  const owner: unknown =
    typeof handlers === 'function'
      ? resolveFrom(
          container ?? globalContainer,
          handlers as new () => object,
          `ChannelServer: the class ${handlers.name || 'of handlers'}`,
        )
      : handlers;
  if (typeof owner !== 'object' || owner === null) {
    throw new TypeError(`ChannelServer: handlers must be an object, an instance or a class, got ${kindOf(owner)}`);
  }
  const functions: Record<SlotName, SlotFunction | undefined> = { connect: undefined, receive: undefined, disconnect: undefined };
  const requirements: Record<SlotName, readonly KnownRequirement[]> = { connect: [], receive: [], disconnect: [] };
  let identifiesFirst = false;
  checkSlotNames(owner);
  for (const name of slotNames) {
    const handler = (owner as Record<string, unknown>)[name];
    if (handler === undefined) continue;
    functions[name] = checkedHandler(`ChannelServer: ${name}`, handler).bind(owner) as SlotFunction;
    requirements[name] = requirementsOf(handler as object) as readonly KnownRequirement[];
    if (name === 'connect') identifiesFirst = outermostRequirementsOf(handler as object).some(({ kind }) => kind === 'identification');
  }
  if (slotNames.every((name) => functions[name] === undefined)) {
    throw new TypeError('ChannelServer: handlers must have at least one of connect, receive and disconnect');
  }
  return { functions, requirements, identifiesFirst };
}

const generatorTag = /^\[object (?:Async)?Generator\]$/;

/**
 * What a slot returned, or its promise came to: a function that makes a wrapped handler for each message and gives it back rather than call
 * it guards nothing, and of a generator nothing has run.
 *
 * @throws {TypeError} when it is a wrapped handler, a wrapper or a generator.
 */
export function checkReturned(slot: SlotName, returned: unknown): void {
  if (typeof returned === 'function' && roleOf(returned) !== undefined) {
    throw new TypeError(`ChannelServer: ${slot} returned ${returned.name} and did not call it: put that into the slot itself`);
  }
  if (typeof returned === 'object' && generatorTag.test(Object.prototype.toString.call(returned))) {
    throw new TypeError(`ChannelServer: ${slot} returned a generator, of which nothing has run: make it an ordinary or an async function`);
  }
}
