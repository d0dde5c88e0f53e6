import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { currentTurn, wholeTurn } from '../../../src/channel/turn.js';
import * as eventLoop from '../../../src/event-loop.js';

/** What others of this process have asked for is counted to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn <= wholeTurn; turn += 1) await nextTurn();
}

it('turns of the event loop are counted from when somebody asks, as far as a whole turn after it, and then no more', async () => {
  await settled();
  const first = currentTurn();
  expect(currentTurn()).toBe(first);
  for (let passed = 1; passed <= wholeTurn; passed += 1) {
    await nextTurn();
    expect(currentTurn()).toBe(first + passed); // each question begins the count anew
  }
  await settled();
  const immediates = vi.spyOn(eventLoop, 'setImmediate');
  await settled();
  expect(immediates).not.toHaveBeenCalled();
  immediates.mockRestore();
  const later = currentTurn();
  expect(later).toBe(first + 2 * wholeTurn);
  await settled();
  expect(currentTurn()).toBe(later + wholeTurn);
  await settled();
});
