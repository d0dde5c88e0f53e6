import { expect, it } from 'vitest';
import { notWhenEnding, tellEnding, whenEnding } from '../../../src/channel/when-ending.js';

it('every step is done once when its subject ends, whoever else waits for that', () => {
  const done: string[] = [];
  const [ann, bob] = [{}, {}];
  const steps = ['a', 'b', 'c'].map((name) => () => void done.push(name));
  for (const step of [...steps, steps[0]!]) whenEnding(ann, step);
  whenEnding(bob, () => void done.push('bob'));
  notWhenEnding(ann, steps[1]!);
  notWhenEnding(ann, steps[2]!);
  tellEnding(ann);
  tellEnding(ann);
  expect(done).toEqual(['a']);
});
