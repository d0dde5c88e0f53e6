import { roleOf } from '../wrapping/made-function.js';

/** The slots of a server. */
export const slotNames = ['connect', 'receive', 'disconnect'] as const;
export type SlotName = (typeof slotNames)[number];

/** What other libraries call the events of the slots. */
const aliases: Readonly<Record<SlotName, readonly string[]>> = {
  connect: ['open', 'connection', 'upgrade'],
  receive: ['message', 'data'],
  disconnect: ['close', 'end'],
};

/**
 * A plain object holds handlers, so each of its functions must be one that the server calls. An instance may have other methods; there, a
 * name is wrong only where it is nearly that of a slot which the instance does not have.
 *
 * @throws {TypeError} when a function of `owner` looks like a handler that would never be called.
 */
export function checkSlotNames(owner: object): void {
  const isPlain = isPlainObject(owner);
  const names = isPlain ? functionsOf(owner, Object.keys(owner)) : methodsOf(owner);
  const missing = slotNames.filter((slot) => Reflect.get(owner, slot) === undefined);
  for (const slot of missing) checkStatic(owner, slot);
  for (const name of names) {
    if (isSlotName(name)) continue;
    const meant = missing.find((slot) => isNearly(name, slot)) ?? (isPlain ? slotNames.find((slot) => isCalled(name, slot)) : undefined);
    if (meant === undefined && !isPlain) continue;
    const remedy = meant === undefined ? 'its slots are connect, receive and disconnect' : `write ${meant}`;
    throw new TypeError(`ChannelServer: there is no slot ${name}, and its function would never be called: ${remedy}`);
  }
}

/** A wrapped handler that is a static member of the class is no handler of its instances. */
function checkStatic(instance: object, slot: SlotName): void {
  const made: unknown = instance.constructor;
  const handler: unknown = typeof made === 'function' ? Reflect.get(made, slot) : undefined;
  if (typeof handler !== 'function' || roleOf(handler) === undefined) return;
  throw new TypeError(`ChannelServer: ${slot} is static, and would never be called: make it a method of the instance`);
}

function isSlotName(name: string): name is SlotName {
  return (slotNames as readonly string[]).includes(name);
}

/** Whether it is no instance of a class; a module's exports are not one either, but may well export something else. */
function isPlainObject(owner: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(owner);
  if (prototype === null) return !(Symbol.toStringTag in owner);
  return Object.getPrototypeOf(prototype) === null; // also where it is the prototype of another realm
}

/** Those of the own members `names` that hold functions. Getters are not called. */
function functionsOf(owner: object, names: readonly string[]): string[] {
  return names.filter((name) => typeof Object.getOwnPropertyDescriptor(owner, name)?.value === 'function');
}

/** The names of all functions of an instance, inherited ones included. */
function methodsOf(instance: object): string[] {
  const names: string[] = [];
  for (let holder: object | null = instance; holder !== null && holder !== Object.prototype; holder = Object.getPrototypeOf(holder)) {
    names.push(...functionsOf(holder, Object.getOwnPropertyNames(holder)));
  }
  return names;
}

/** Whether `name` is `slot` but for its case, one slip of the keyboard, or an `on` or `handle` before it. */
function isNearly(name: string, slot: SlotName): boolean {
  return bareNameOf(name) === slot || isOneSlipFrom(name.toLowerCase(), slot);
}

/** Whether another library would call `slot` by `name`. */
function isCalled(name: string, slot: SlotName): boolean {
  return aliases[slot].includes(bareNameOf(name)) || isNearly(name, slot);
}

/** `name` in small letters, without an `on` or `handle` before it. */
function bareNameOf(name: string): string {
  return name.toLowerCase().replace(/^(?:on|handle)(?=[a-z])/, '');
}

/** Whether one letter too many, too few or wrong, or two swapped, make `a` of `b`. */
function isOneSlipFrom(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  const isSwapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return isSwapped || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
