import { EventEmitter } from 'node:events';
import type { ChangeStreamDocument } from 'mongodb';
import { expect, it } from 'vitest';
import { DrfFollower } from '../../../adapters/mongodb/drf-follower.js';
import type { DrfSource } from '../../../adapters/mongodb/drf-source.js';
import { Operations } from '../../../adapters/mongodb/operations.js';
import { TestClock } from '../../../entries/testing.js';

/** A change stream whose line was cut in silence: of what the driver has asked it hears nothing any more, though the stream is closed. */
class CutStream extends EventEmitter {
  async tryNext(): Promise<null> {
    return null;
  }

  next(): Promise<ChangeStreamDocument> {
    return new Promise(() => {});
  }

  close(): Promise<void> {
    return new Promise(() => {});
  }
}

function keepingUp() {
  const clock = new TestClock();
  const [streams, errors]: [CutStream[], unknown[]] = [[], []];
  const source = {
    watch() {
      streams.push(new CutStream());
      return streams.at(-1);
    },
  };
  let imports = 0;
  const drf: Pick<DrfSource, 'importAll' | 'apply'> = {
    async importAll() {
      imports += 1;
      return { imported: 0, revoked: 0, skipped: 0 };
    },
    apply: async () => undefined,
  };
  const onError = (error: unknown): void => void errors.push(error);
  const follower = new DrfFollower(source as never, drf as DrfSource, new Operations({ clock }), onError);
  return { clock, streams, errors, follower, importsSoFar: () => imports };
}

it('what keeps up with an import goes on on another line, from a new import, where its own was cut in silence', async () => {
  const { clock, streams, errors, follower, importsSoFar } = keepingUp();
  await follower.start();
  for (let second = 0; second < 40; second += 1) {
    streams[0]!.emit('resumeTokenChanged');
    await clock.advance(1_000);
  }
  expect([streams.length, importsSoFar()]).toEqual([1, 1]);
  await clock.advance(31_000);
  expect([streams.length, importsSoFar(), errors]).toEqual([2, 2, []]);
  const closing = follower.close();
  await clock.advance(3_000);
  await closing;
  expect(clock.pendingTimers).toBe(0);
});

it('what keeps up with an import can be closed where its line was cut in silence', async () => {
  const { clock, streams, follower } = keepingUp();
  await follower.start();
  const closing = follower.close();
  await clock.advance(3_000);
  await closing;
  expect([streams.length, clock.pendingTimers]).toEqual([1, 0]);
});
