/** The member of a message that tells which wrappers have let it pass; a message class declares it, so that its shape never changes. */
export const passedWrappers: unique symbol = Symbol('ws-with.passedWrappers');
/** The member of a message that throws where its handler may not begin any more: its channel has ended while a wrapper waited. */
export const checkMayBegin: unique symbol = Symbol('ws-with.checkMayBegin');
const passedLater: unique symbol = Symbol('ws-with.passedLater');

interface Marked {
  [passedWrappers]?: number;
  [passedLater]?: number[];
}

let made = 0;

/** An id for a wrapper that marks the messages which it lets pass. */
export function makeMark(): number {
  return made++;
}

/** @throws whatever the message throws where its handler may not begin any more; one that no server has made throws nothing. */
export function checkStillWanted(message: object): void {
  (message as { [checkMayBegin]?(): void })[checkMayBegin]?.();
}

/** Whether wrapper `id` has let `message` pass. The first 31 wrappers cost a bit of the message, the rest an entry in a list. */
export function hasPassed(message: object, id: number): boolean {
  const marked = message as Marked;
  return id < 31 ? ((marked[passedWrappers] ?? 0) & (1 << id)) !== 0 : marked[passedLater]?.includes(id) === true;
}

/** Notes that wrapper `id` has let `message` pass. */
export function setPassed(message: object, id: number): void {
  const marked = message as Marked;
  if (id < 31) {
    marked[passedWrappers] = (marked[passedWrappers] ?? 0) | (1 << id);
  } else {
    marked[passedLater] ??= [];
    marked[passedLater].push(id);
  }
}
