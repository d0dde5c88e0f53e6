import type { ChannelHost, ChannelPlan, SlotFunction } from '../channel/channel-host.js';
import { checkIdentities } from '../channel/check-identities.js';
import { checkSlotNames, type SlotName, slotNames } from '../channel/check-slot-names.js';
import type { IdentificationRequirement, KnownRequirement } from '../channel/requirement-kinds.js';
import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import { resolveFrom } from '../dependencies.js';
import type { CredentialSource } from '../identity/credentials.js';
import { type DependencyContainer, container as globalContainer } from '../injection.js';
import { kindOf } from '../kind-of.js';
import type { ChannelSessionOptions } from '../session/session-settings.js';
import { type AnyHandler, checkHandler, roleOf } from '../wrapping/made-function.js';
import { requirementsOf } from '../wrapping/requirements.js';
import type { ServerSettings } from './channel-server-options.js';

/** The handlers of a server as they were given, looked at once. */
export interface Slots {
  readonly functions: Readonly<Record<SlotName, SlotFunction | undefined>>;
  readonly requirements: Readonly<Record<SlotName, readonly KnownRequirement[]>>;
}

/**
 * The slots of handlers given as an object, an instance, or a class that the container resolves.
 *
 * @throws {TypeError} when there is no handler among them, or something that is none: a wrapper without its handler, a slot misspelt.
 */
export function slotsOf(handlers: unknown, container: DependencyContainer | undefined): Slots {
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
  checkSlotNames(owner);
  for (const name of slotNames) {
    const handler = (owner as Record<string, unknown>)[name];
    if (handler === undefined) continue;
    functions[name] = slotFunction(name, checkHandler(`ChannelServer: ${name}`, handler), owner);
    requirements[name] = requirementsOf(handler as object) as readonly KnownRequirement[];
  }
  if (slotNames.every((name) => functions[name] === undefined)) {
    throw new TypeError('ChannelServer: handlers must have at least one of connect, receive and disconnect');
  }
  return { functions, requirements };
}

/** `handler` with its `this`. One that makes a wrapped handler for each message, and gives it back rather than call it, guards nothing. */
function slotFunction(name: SlotName, handler: AnyHandler, owner: object): SlotFunction {
  return (message) => {
    const result = handler.call(owner, message);
    if (typeof result === 'function' && roleOf(result) !== undefined) {
      throw new TypeError(`ChannelServer: ${name} returned ${result.name} and did not call it: put that into the slot itself`);
    }
    return result;
  };
}

/** The options of every `withChannelSession` that the slots can see. */
export function sessionOptionsOf({ requirements }: Slots): ChannelSessionOptions[] {
  return all(requirements).flatMap((requirement) => (requirement.kind === 'session' ? [requirement.options] : []));
}

/** The first requirement to identify: of connect, else of receive, else of disconnect. */
function identificationOf({ requirements }: Slots): IdentificationRequirement | undefined {
  return all(requirements).find((requirement) => requirement.kind === 'identification');
}

/** Everywhere that a wrapper of the slots looks for tokens. */
export function credentialsOf({ requirements }: Slots): CredentialSource[] {
  return all(requirements).flatMap((requirement) =>
    requirement.kind === 'identification' ? requirement.sources.flatMap((source) => [...source.credentials]) : [],
  );
}

/** What the server needs to know of its slots for each channel; everything that they depend on is resolved. */
export function planChannels(slots: Slots, settings: ServerSettings, bind: ChannelHost['bind']): ChannelPlan {
  const { functions, requirements } = slots;
  const every = all(requirements);
  const readers = readersOf(every, bind);
  const sources = identificationOf(slots)?.sources.map((source) => bind(source));
  for (const name of slotNames) checkIdentities(name, requirements[name], sources, bind);
  const ordering = requirements.receive.filter(({ kind }) => kind === 'ordering');
  const isAlwaysOrdered = ordering.some(({ sometimes }) => sometimes !== true);
  const { maxQueuedBytes, maxQueuedMessages } = settings;
  const concurrency = isAlwaysOrdered ? 1 : settings.concurrency;
  return Object.freeze({
    ...functions,
    sources,
    connectIdentifies: requirements.connect.some(({ kind }) => kind === 'identification'),
    wantsSession: every.some(({ kind }) => kind === 'session'),
    readers,
    inbox: Object.freeze({ maxQueuedBytes, maxQueuedMessages, concurrency, mayOrder: concurrency > 1 && ordering.length > 0 }),
  });
}

/** The reader of the web site's sessions, if a wrapper wants it. */
function readersOf(requirements: readonly KnownRequirement[], bind: ChannelHost['bind']): HttpSessionReader[] {
  const readers = new Map<HttpSessionReader, string>();
  for (const requirement of requirements) {
    if (requirement.kind !== 'http-session') continue;
    const { reader } = bind(requirement);
    if (!readers.has(reader)) readers.set(reader, requirement.wrapper);
  }
  if (readers.size > 1) {
    const wrappers = [...readers.values()].join(' and ');
    throw new TypeError(
      `ChannelServer: ${wrappers} read HTTP sessions through different readers: give all the same sessions, a server has one reader`,
    );
  }
  return [...readers.keys()];
}

function all(requirements: Slots['requirements']): KnownRequirement[] {
  return slotNames.flatMap((name) => requirements[name]);
}
