import type { Expression } from './path-expression.js';

/** A step of a program; numbers are the indices of steps. */
export type Step =
  | { readonly does: 'accept'; readonly accepts: (character: string) => boolean; readonly next: number }
  | { readonly does: 'fork'; readonly first: number; readonly second: number }
  | { readonly does: 'save'; readonly slot: number; readonly next: number }
  | { readonly does: 'assert'; readonly holds: (characters: readonly string[], position: number) => boolean; readonly next: number }
  | { readonly does: 'look'; readonly look: Look; readonly next: number }
  | { readonly does: 'end' }
  | { readonly does: 'fail' };

/** What must be found, or must not, to the right or to the left of a position. Its program reads towards that position. */
export interface Look {
  readonly program: Program;
  readonly isBehind: boolean;
  readonly isNegated: boolean;
}

/** An expression as steps, among which there is no circle that reads nothing. */
export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
}

/** What a program, with all that it looks at, may still cost. */
interface Budget {
  left: number;
  readonly exceeded: () => never;
}

type Repeat = Extract<Expression, { readonly kind: 'repeat' }>;

const failed = 0;
const ended = 1;
const unlimited = Number.POSITIVE_INFINITY;

/**
 * Compiles from the end to the beginning, so that a step knows what follows. What is repeated must read something each time, as in the
 * regular expressions of JavaScript: there are two ways to go on, one where something has been `read` and one where all is `unread`.
 */
class Compiler {
  readonly steps: Step[] = [{ does: 'fail' }, { does: 'end' }];
  readonly #isBackwards: boolean;
  readonly #budget: Budget;

  constructor(isBackwards: boolean, budget: Budget) {
    this.#isBackwards = isBackwards;
    this.#budget = budget;
  }

  /** The step at which `expression` begins. */
  compile(expression: Expression, read: number, unread: number): number {
    this.#spend();
    switch (expression.kind) {
      case 'character':
        return this.#add({ does: 'accept', accepts: expression.accepts, next: read });
      case 'sequence':
        return this.#sequence(this.#isBackwards ? expression.items : expression.items.toReversed(), read, unread);
      case 'choice':
        return expression.items
          .map((item) => this.compile(item, read, unread))
          .reduceRight((second, first) => this.#add({ does: 'fork', first, second }));
      case 'repeat':
        return this.#repeat(expression, read, unread);
      case 'group':
        return this.#group(expression.of, 2 * expression.index, read, unread);
      case 'assertion':
        return this.#add({ does: 'assert', holds: expression.holds, next: unread });
      case 'look': {
        const { of, isBehind, isNegated } = expression;
        return this.#add({ does: 'look', look: { program: compiled(of, !isBehind, this.#budget), isBehind, isNegated }, next: unread });
      }
    }
  }

  #sequence(lastFirst: Iterable<Expression>, read: number, unread: number): number {
    let [afterRead, afterUnread] = [read, unread];
    for (const item of lastFirst) {
      const next = this.compile(item, afterRead, afterUnread);
      const isSame = afterRead === afterUnread || !maySkip(item);
      afterRead = isSame ? next : this.compile(item, afterRead, afterRead);
      afterUnread = next;
    }
    return afterUnread;
  }

  #repeat(repeat: Repeat, read: number, unread: number): number {
    const { of, min, max, isLazy } = repeat;
    if (min > 0) {
      // so often it must come, whether it reads anything or not
      const rest: Expression = { ...repeat, min: 0, max: max - min };
      const times = Array.from({ length: Math.min(min, this.#budget.left + 1) }, () => of);
      return this.#sequence(this.#isBackwards ? [...times, rest] : [rest, ...times], read, unread);
    }
    if (max === unlimited) return this.#loop(repeat, read, unread);
    let next = read;
    for (let left = max; left > 1; left -= 1) next = this.#fork(this.compile(of, next, failed), read, isLazy);
    return max === 0 ? unread : this.#fork(this.compile(of, next, failed), unread, isLazy);
  }

  #loop({ of, isLazy }: Repeat, read: number, unread: number): number {
    const again = this.#add({ does: 'fail' });
    const body = this.compile(of, again, failed);
    this.steps[again] = forkOf(body, read, isLazy);
    return read === unread ? again : this.#fork(body, unread, isLazy);
  }

  #group(of: Expression, slot: number, read: number, unread: number): number {
    const afterRead = this.#add({ does: 'save', slot: slot + 1, next: read });
    const afterUnread = read === unread ? afterRead : this.#add({ does: 'save', slot: slot + 1, next: unread });
    return this.#add({ does: 'save', slot, next: this.compile(of, afterRead, afterUnread) });
  }

  #fork(body: number, rest: number, isLazy: boolean): number {
    return this.#add(forkOf(body, rest, isLazy));
  }

  #add(step: Step): number {
    this.#spend();
    return this.steps.push(step) - 1;
  }

  #spend(): void {
    this.#budget.left -= 1;
    if (this.#budget.left < 0) this.#budget.exceeded();
  }
}

/** Whether `expression` may match without reading anything. */
function maySkip(expression: Expression): boolean {
  switch (expression.kind) {
    case 'character':
      return false;
    case 'sequence':
      return expression.items.every(maySkip);
    case 'choice':
      return expression.items.some(maySkip);
    case 'repeat':
      return expression.min === 0 || maySkip(expression.of);
    case 'group':
      return maySkip(expression.of);
    default:
      return true;
  }
}

function forkOf(body: number, rest: number, isLazy: boolean): Step {
  return isLazy ? { does: 'fork', first: rest, second: body } : { does: 'fork', first: body, second: rest };
}

function compiled(expression: Expression, isBackwards: boolean, budget: Budget): Program {
  const compiler = new Compiler(isBackwards, budget);
  const start = compiler.compile(expression, ended, ended);
  return { steps: compiler.steps, start };
}

/**
 * Compiles `expression`, whose groups are numbered from 0.
 *
 * @param exceeded called where it would have more than `maxSteps` steps, repetitions written out.
 */
export function programOf(expression: Expression, maxSteps: number, exceeded: () => never): Program {
  return compiled(expression, false, { left: maxSteps, exceeded });
}
