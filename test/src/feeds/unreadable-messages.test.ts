import { expect, it, vi } from 'vitest';
import { UnreadableMessages } from '../../../src/feeds/unreadable-messages.js';
import { TestClock } from '../../../testing/test-clock.js';

function hearing() {
  const clock = new TestClock();
  const gaps = vi.fn();
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  return { clock, gaps, warn, messages: new UnreadableMessages(clock, 'The test', gaps) };
}

it('what cannot be read is a gap at once, and one more every five seconds for as long as more of it comes', async () => {
  const { clock, gaps, messages } = hearing();
  messages.heard();
  expect(gaps).toHaveBeenCalledTimes(1);
  for (let count = 0; count < 100; count += 1) messages.heard();
  expect(gaps).toHaveBeenCalledTimes(1);
  await clock.advance(5_000);
  expect(gaps).toHaveBeenCalledTimes(2); // the last of them was heard after the first gap
  await clock.advance(5_000);
  expect([gaps.mock.calls.length, clock.pendingTimers]).toEqual([2, 0]);
  messages.heard();
  expect(gaps).toHaveBeenCalledTimes(3);
});

it('what cannot be read is told to nobody who has left, and at once to whoever comes then', async () => {
  const { clock, gaps, messages } = hearing();
  messages.heard();
  messages.heard();
  messages.stop();
  await clock.advance(5_000);
  expect([gaps.mock.calls.length, clock.pendingTimers]).toEqual([1, 0]);
  messages.heard();
  expect(gaps).toHaveBeenCalledTimes(2);
});

it('what cannot be read is a warning of the process, once', () => {
  const { warn, messages } = hearing();
  messages.heard();
  messages.heard();
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[1]).toEqual({ type: 'WsWithWarning', code: 'ERR_BROADCAST_FAILED' });
});
