import { afterPromises } from '../after-promises.js';
import { nextTick } from '../event-loop.js';
import { awaitTurnEnd, isTurnEndAwaited, type TurnWaiter } from '../turn-end.js';

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
/** Whether the end of this tick, or of this turn of the event loop, lets them out. */
let isEndAwaited = false;
/** Whether more is to be sent once the promises are done that are settled. */
let isMoreExpected = false;
/** The number of the message that is handled now, if it came alone; else 0. */
let lone = 0;
let loneMessages = 0;
/** To how many members of groups it has sent at once. */
let reached = 0;
/** So many that are sent to together are a crowd. */
const crowd = 32;
/** Whether one was sent to in this turn: what follows waits for its end, and leaves in one write for each that it was sent to. */
let isCrowdReached = false;

/** One after the other off the list: where one throws, the others stay there and leave with what is sent next. */
function letOutAll(): void {
  isMoreExpected = false;
  let count = 0;
  while (first !== undefined) {
    const sender = first;
    first = sender.next;
    if (first === undefined) last = undefined;
    sender.next = undefined;
    sender.isListed = false;
    count += 1;
    sender.flush();
  }
  if (count >= crowd) noteCrowd();
}

const atCrowdEnd: TurnWaiter = {
  turnOver: () => {
    isCrowdReached = false;
  },
};

function noteCrowd(): void {
  if (isCrowdReached) return;
  isCrowdReached = true;
  awaitTurnEnd(atCrowdEnd);
}

/** Whether what waits is for several, and a crowd was sent to already. */
function mayWaitForTurn(): boolean {
  return isCrowdReached && first !== last;
}

/** The tick, or the turn of the event loop, ends. */
function onEnd(): void {
  if (isMoreExpected) {
    isMoreExpected = false;
    awaitLastTick();
  } else if (mayWaitForTurn()) awaitTurnEnd(atTurnEnd);
  else {
    isEndAwaited = false;
    letOutAll();
  }
}

const awaitLastTick = afterPromises(onEnd);

const atTurnEnd: TurnWaiter = {
  turnOver: () => {
    isCrowdReached = false; // it may be awaited since before there was a crowd
    onEnd();
  },
};

/**
 * Lets `sender` out at the end of this tick. Two cases need none. While a message is handled that came alone, {@link endLoneMessage} comes.
 * Where somebody waits for the end of this turn already, as for a handler that began in it, {@link letOut} comes, or that end.
 */
export function letOutLater(sender: Sender): void {
  if (sender.isListed) return;
  sender.isListed = true;
  if (last === undefined) first = sender;
  else last.next = sender;
  last = sender;
  if (lone > 0 || isEndAwaited) return;
  isEndAwaited = true;
  if (isTurnEndAwaited()) awaitTurnEnd(atTurnEnd);
  else nextTick(onEnd);
}

/**
 * Lets out what one channel was sent: a handler that was waited for is done, and no message of its channel waits.
 * What several were sent waits for the end: other handlers may send to them too.
 */
export function letOut(): void {
  if (first !== undefined && first === last) letOutAll();
}

/** Whether anything was sent that has not left. */
export function hasUnsent(): boolean {
  return first !== undefined;
}

/** Another message waits for the one that is handled: what that has sent may leave with what this one will. */
export function expectMore(): void {
  isMoreExpected = first !== undefined;
}

/**
 * A message begins that came alone in its read: nothing else will be sent in this turn for which it would pay to wait. What is sent until
 * {@link endLoneMessage} leaves then, without the wait for a tick.
 */
export function beginLoneMessage(): void {
  loneMessages = (loneMessages % 0x3fff_ffff) + 1;
  lone = loneMessages;
  reached = 0;
}

/** What is sent from here on waits for the end of its tick. */
export function endLoneMessage(): void {
  lone = 0;
  if (first === undefined) return;
  if (!mayWaitForTurn()) letOutAll();
  else if (!isEndAwaited) {
    isEndAwaited = true;
    awaitTurnEnd(atTurnEnd);
  }
}

/** A number of the message that is handled now, if it came alone and what it sends to groups may leave at once; else 0. */
export function loneMessage(): number {
  return isCrowdReached && reached < crowd ? 0 : lone;
}

/** It has sent to one of their members. */
export function reachedMember(): void {
  reached += 1;
  if (reached === crowd) noteCrowd();
}
