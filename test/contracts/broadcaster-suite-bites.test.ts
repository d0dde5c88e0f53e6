import { expect, it } from 'vitest';
import { broadcasterContract } from '../../entries/testing.js';
import { bites } from './bites.js';
import * as broadcasters from './broken-broadcasters.js';
import { failingTests } from './failing-tests.js';

const { broadcasterFixture, Dutiful, Wire: _, ...broken } = broadcasters;

const onceToOthers = 'what one publishes all others hear, once, and it does not itself';
const inOrder = 'what one publishes to a group arrives in order, whether it waited in between or not';
const asTheyWere = 'text and bytes arrive as they were when they were published';
const keptApart = 'groups whose names look alike are kept apart';
const throwing = 'a subscriber that throws keeps neither others nor itself from the next message';
const ended = 'a subscription that was ended hears nothing more, ending it twice does no harm, and others go on';
const refused = 'what is no group or no data is refused with a TypeError';
const afterGaps =
  'what may have been missed while the broker was away is told of as a gap, nothing arrives twice or out of order, and later messages arrive again';
const sinceTheGap = 'what is published as soon as a gap is told arrives, or another gap is told';

it('the suite of Broadcaster has nothing against one that keeps its word', async () => {
  expect(await failingTests(broadcasterContract({ create: () => broadcasterFixture(Dutiful) }))).toEqual([]);
});

bites('Broadcaster', broken, (Node) => broadcasterContract({ create: () => broadcasterFixture(Node) }), {
  CriesWolf: [inOrder],
  DeliversTwice: [onceToOthers, inOrder, asTheyWere, keptApart, ended, afterGaps],
  EndsAllWithOne: [ended],
  ForgetsGaps: [afterGaps, sinceTheGap],
  HearsItself: [onceToOthers],
  KnowsNoCase: [keptApart],
  LosesOneOfTen: [inOrder],
  MakesTextOfBytes: [asTheyWere],
  SendsAgain: [afterGaps],
  SendsLater: [asTheyWere],
  SendsTheWholeBuffer: [asTheyWere],
  StandsTooEarly: [onceToOthers, inOrder, asTheyWere, keptApart, throwing, ended, afterGaps, sinceTheGap],
  StaysCutOff: [afterGaps, sinceTheGap],
  StopsAtThrows: [throwing],
  TakesAnyGroup: [asTheyWere, refused],
  TellsGapsTooEarly: [sinceTheGap],
  TellsGapsWhenCut: [afterGaps, sinceTheGap],
  TellsTheEnded: [ended],
  ThrowsAtOnce: [refused],
  TurnsTheOrderRound: [inOrder],
});
