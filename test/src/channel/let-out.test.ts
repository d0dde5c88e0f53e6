import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Inbox, type InboxMessage, type InboxOwner, isOrderingKnown, numberInChannel } from '../../../src/channel/inbox.js';
import {
  beginLoneMessage,
  endLoneMessage,
  letOut,
  letOutLater,
  loneMessage,
  reachedMember,
  type Sender,
} from '../../../src/channel/let-out.js';
import { awaitTurnEnd } from '../../../src/turn-end.js';
import { uncaughtIn } from '../../support/uncaught.js';

/** A sender that notes when it is let out. */
function senderOf(name: string, left: string[], flush: () => void = () => undefined): Sender {
  return {
    isListed: false,
    next: undefined,
    flush: () => {
      left.push(name);
      flush();
    },
  };
}

/** Every message comes alone to it: behind the header of its frame there is nothing else. */
class Owner implements InboxOwner<InboxMessage> {
  readonly bytesRead = 0;
  readonly socket = undefined;
  readonly #handle: (message: InboxMessage) => boolean;

  constructor(handle: (message: InboxMessage) => boolean) {
    this.#handle = handle;
  }

  receive(inbox: Inbox): void {
    inbox.push({ data: new Uint8Array(new ArrayBuffer(6 + 1), 6), [numberInChannel]: 0, [isOrderingKnown]: false });
  }

  handle(message: InboxMessage): boolean {
    return this.#handle(message);
  }

  overflowed(): void {}
}

it('what is sent while a message that came alone is handled leaves also where something breaks there', async () => {
  const left: string[] = [];
  const owner = new Owner(() => {
    expect(loneMessage()).toBeGreaterThan(0);
    letOutLater(senderOf('sent before', left));
    throw new Error('broken');
  });
  const inbox = new Inbox(owner, { maxQueuedMessages: 1, maxQueuedBytes: 1, concurrency: 1, mayOrder: false });
  inbox.start();
  expect(() => owner.receive(inbox)).toThrow('broken');
  expect([loneMessage(), left]).toEqual([0, ['sent before']]);
  letOutLater(senderOf('sent later', left));
  await nextTurn();
  expect(left).toEqual(['sent before', 'sent later']);
});

it('those who are let out together leave in their order, once each, also where one of them breaks', async () => {
  const left: string[] = [];
  const breaking = senderOf('breaks', left, () => {
    throw new Error('broken');
  });
  const uncaught = await uncaughtIn(async () => {
    for (const sender of [senderOf('first', left), breaking, senderOf('third', left), senderOf('fourth', left)]) letOutLater(sender);
    await nextTurn();
  });
  expect(uncaught).toEqual([new Error('broken')]);
  expect(left).toEqual(['first', 'breaks']);
  letOutLater(senderOf('sent later', left));
  await nextTurn();
  expect(left).toEqual(['first', 'breaks', 'third', 'fourth', 'sent later']);
});

it('what several are sent behind a crowd leaves with its turn, also where somebody awaited the end of that before', async () => {
  const left: string[] = [];
  awaitTurnEnd({ turnOver: () => undefined }); // as a handler does that is waited for
  letOutLater(senderOf('answer', left));
  letOut();
  beginLoneMessage();
  for (let member = 0; member < 32; member += 1) reachedMember();
  endLoneMessage();
  beginLoneMessage();
  for (const name of ['one', 'other']) letOutLater(senderOf(name, left));
  endLoneMessage();
  expect(left).toEqual(['answer']);
  await nextTurn();
  expect(left).toEqual(['answer', 'one', 'other']);
});
