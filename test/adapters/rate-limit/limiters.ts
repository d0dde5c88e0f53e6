import { BurstyRateLimiter, RateLimiterMemory, RateLimiterUnion, RLWrapperBlackAndWhite } from 'rate-limiter-flexible';
import type { RateLimiter } from '../../../entries/rate-limit.js';

/** A limiter of the library in this process, for two points a minute and key. */
export function twoAMinute(keyPrefix = 'two'): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix, points: 2, duration: 60 });
}

/** Limiters of the library that let two messages pass and no third. */
export const ofLibrary: readonly (readonly [name: string, make: () => RateLimiter])[] = [
  ['RateLimiterMemory', () => twoAMinute()],
  ['RateLimiterUnion', () => new RateLimiterUnion(twoAMinute('a'), new RateLimiterMemory({ keyPrefix: 'b', points: 9, duration: 3_600 }))],
  [
    'BurstyRateLimiter',
    () =>
      new BurstyRateLimiter(
        new RateLimiterMemory({ keyPrefix: 'steady', points: 1, duration: 60 }),
        new RateLimiterMemory({ keyPrefix: 'burst', points: 1, duration: 60 }),
      ),
  ],
  ['RLWrapperBlackAndWhite', () => new RLWrapperBlackAndWhite({ limiter: twoAMinute() })],
];

/** A limiter that answers as `answer` says, and remembers what it was asked. */
export class FakeLimiter implements RateLimiter {
  readonly asked: (readonly [key: string, points: number])[] = [];
  readonly #answer: (key: string, points: number) => unknown;

  constructor(answer: (key: string, points: number) => unknown = () => undefined) {
    this.#answer = answer;
  }

  consume(key: string, points: number): unknown {
    this.asked.push([key, points]);
    return this.#answer(key, points);
  }

  get keys(): readonly string[] {
    return this.asked.map(([key]) => key);
  }
}

/** What the library rejects with where a key is over its bound. */
export function over(msBeforeNext: number): object {
  return { remainingPoints: 0, msBeforeNext, consumedPoints: 3, isFirstInDuration: false };
}
