import { expect, it } from 'vitest';
import { withHttpUser } from '../../entries/index.js';
import { MemoryHttpSessionReader } from '../../entries/memory.js';
import { connectTo, TestClock } from '../../entries/testing.js';
import { codesOf } from '../support/site.js';

it('a hung look-up of withHttpUser at connect ends as a look-up: 503, not 408', async () => {
  const clock = new TestClock();
  const sessions = new MemoryHttpSessionReader({ clock });
  const sessionid = sessions.create('ann');
  const users = { findById: () => new Promise<never>(() => {}) };
  const errors: unknown[] = [];
  const connecting = connectTo(
    { connect: withHttpUser({ sessions, users })(() => undefined) },
    { cookies: { sessionid }, clock, onError: (error) => errors.push(error) },
  );
  await clock.advance(5_000);
  expect((await connecting).refusal).toEqual({ status: 503 });
  expect(codesOf(errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
});
