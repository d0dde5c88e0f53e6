import { afterPromises } from '../after-promises.js';
import { nextTick } from '../event-loop.js';

/** Who has sent something that has not left yet. */
export interface Sender {
  /** Whether it is in the list of those that are let out, and who is next there. */
  isListed: boolean;
  next: Sender | undefined;
  /** Lets it out. */
  flush(): void;
}

/** The senders to be let out, a list: its first and its last. */
let first: Sender | undefined;
let last: Sender | undefined;
/** Whether a `nextTick` lets them out. */
let tickIsAwaited = false;
/** Whether more is to be sent once the promises are done that are settled. */
let isMoreExpected = false;
/** The number of the message that is handled now, if it came alone; else 0. */
let lone = 0;
let loneMessages = 0;

/** One after the other off the list: where one throws, the others stay there and leave with what is sent next. */
function letOutAll(): void {
  while (first !== undefined) {
    const sender = first;
    first = sender.next;
    if (first === undefined) last = undefined;
    sender.next = undefined;
    sender.isListed = false;
    sender.flush();
  }
}

function onTick(): void {
  if (isMoreExpected) {
    isMoreExpected = false;
    awaitLastTick();
    return;
  }
  tickIsAwaited = false;
  letOutAll();
}

const awaitLastTick = afterPromises(onTick);

/** Lets `sender` out at the end of this tick, or when the message has been handled that came alone. */
export function letOutLater(sender: Sender): void {
  if (sender.isListed) return;
  sender.isListed = true;
  if (last === undefined) first = sender;
  else last.next = sender;
  last = sender;
  if (lone > 0 || tickIsAwaited) return;
  tickIsAwaited = true;
  nextTick(onTick);
}

/** Whether what is sent now leaves with what was sent before, at the end of this tick. */
export function isTickAwaited(): boolean {
  return tickIsAwaited;
}

/** Another message waits for the one that is handled: what that has sent may leave with what this one will. */
export function expectMore(): void {
  isMoreExpected = tickIsAwaited;
}

/**
 * A message begins that came alone in its read: nothing else will be sent in this turn for which it would pay to wait. What is sent until
 * {@link endLoneMessage} leaves then, without the wait for a tick.
 */
export function beginLoneMessage(): void {
  loneMessages = (loneMessages % 0x3fff_ffff) + 1;
  lone = loneMessages;
}

/** What is sent from here on waits for the end of its tick. */
export function endLoneMessage(): void {
  lone = 0;
  if (first !== undefined) letOutAll();
}

/** A number of the message that is handled now, if it came alone; else 0. */
export function loneMessage(): number {
  return lone;
}
