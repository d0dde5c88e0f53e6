import { performance } from 'node:perf_hooks';

/** How often something is measured, and how long that may take. */
export interface Rounds {
  readonly rounds: number;
  readonly budgetMs: number;
}

/** Takes one round after the other while the budget lasts, and one at least; returns how many it were. */
export async function takeRounds({ rounds, budgetMs }: Rounds, take: (round: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let longest = 0;
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    if (round > 0 && begun - start + longest > budgetMs) return round;
    await take(round);
    longest = Math.max(longest, performance.now() - begun);
  }
  return rounds;
}
