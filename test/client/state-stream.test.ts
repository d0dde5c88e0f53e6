import { describe, expect, it } from 'vitest';
import { StateStream } from '../../client/state-stream.js';

/** All that `stream` gives until it ends. */
async function allOf<State>(stream: StateStream<State>): Promise<readonly State[]> {
  const states: State[] = [];
  for await (const state of stream) states.push(state);
  return states;
}

describe('a stream of states', () => {
  it('has its first state at once, and the one that was set last from then on', () => {
    const stream = new StateStream('first');
    expect(stream.current).toBe('first');
    stream.set('second');
    expect(stream.current).toBe('second');
    stream.end();
    expect(stream.current).toBe('second');
  });

  it('gives each reader the present state and all that come after it, until it ends', async () => {
    const stream = new StateStream(1);
    const early = allOf(stream);
    stream.set(2);
    const late = allOf(stream);
    stream.set(3);
    stream.end();
    expect([await early, await late]).toEqual([
      [1, 2, 3],
      [2, 3],
    ]);
  });
});
