import { foundOrMade } from '../found-or-made.js';
import type { Look, Program, Step } from './path-program.js';

type Condition = Extract<Step, { readonly does: 'assert' | 'look' }>;

/** A text that a program reads, and what is found around each of its positions. */
class Text {
  readonly characters: readonly string[];
  readonly #found = new Map<Look, Uint8Array>();

  constructor(text: string) {
    this.characters = Array.from(text);
  }

  holds(step: Condition, position: number): boolean {
    if (step.does === 'assert') return step.holds(this.characters, position);
    const found = foundOrMade(this.#found, step.look, () => this.#find(step.look));
    return (found[position] === 1) !== step.look.isNegated;
  }

  /** Where it is found: all positions are tried in one go, which reads each character once. */
  #find({ program: { steps, start }, isBehind }: Look): Uint8Array {
    const { length } = this.characters;
    const found = new Uint8Array(length + 1);
    let reached: number[] = [];
    for (let read = 0; read <= length; read += 1) {
      const position = isBehind ? read : length - read;
      const character = this.characters[isBehind ? position : position - 1];
      const next: number[] = [];
      reached.push(start);
      const seen = new Uint8Array(steps.length);
      for (let at = reached.pop(); at !== undefined; at = reached.pop()) {
        if (seen[at] === 1) continue;
        seen[at] = 1;
        const step = steps[at] as Step;
        if (step.does === 'end') found[position] = 1;
        else if (step.does === 'fork') reached.push(step.first, step.second);
        else if (step.does === 'accept') {
          if (character !== undefined && step.accepts(character)) next.push(step.next);
        } else if (step.does === 'save' || (step.does !== 'fail' && this.holds(step, position))) reached.push(step.next);
      }
      reached = next;
    }
    return found;
  }
}

/**
 * What the groups of `program` match in the whole of `text`; `undefined` where it does not match. Of several ways to match it takes the one
 * that a regular expression takes; but no step is tried twice at one position, since what follows from it is the same.
 */
export function runProgram({ steps, start }: Program, text: string): readonly (string | undefined)[] | undefined {
  const read = new Text(text);
  const { characters } = read;
  const tried = new Uint8Array(Math.ceil((steps.length * (characters.length + 1)) / 8));
  const saved: number[] = [];
  /** What is left to be tried: a step and its position, or a slot (its complement) and what it held before. */
  const left: number[] = [start, 0];
  while (left.length > 0) {
    let position = left.pop() as number;
    let at = left.pop() as number;
    if (at < 0) saved[~at] = position;
    while (at >= 0) {
      const place = at * (characters.length + 1) + position;
      const bit = 1 << (place & 7);
      if (((tried[place >> 3] as number) & bit) !== 0) break;
      (tried[place >> 3] as number) |= bit;
      const step = steps[at] as Step;
      at = -1;
      if (step.does === 'accept') {
        if (position === characters.length || !step.accepts(characters[position] as string)) break;
        position += 1;
        at = step.next;
      } else if (step.does === 'fork') {
        left.push(step.second, position);
        at = step.first;
      } else if (step.does === 'save') {
        left.push(~step.slot, saved[step.slot] ?? -1);
        saved[step.slot] = position;
        at = step.next;
      } else if (step.does === 'end') {
        if (position === characters.length) return groupsOf(characters, saved);
      } else if (step.does !== 'fail' && read.holds(step, position)) at = step.next;
    }
  }
  return undefined;
}

function groupsOf(characters: readonly string[], saved: readonly number[]): (string | undefined)[] {
  const groups: (string | undefined)[] = [];
  for (let slot = 0; slot < saved.length; slot += 2) {
    const from = saved[slot] ?? -1;
    groups.push(from < 0 ? undefined : characters.slice(from, saved[slot + 1]).join(''));
  }
  return groups;
}
