import { kindOf } from '../kind-of.js';
import type { AnySource } from './user-source.js';

/**
 * @throws {TypeError} unless `sources` are made by `fromToken`, `fromHttpSession` and their like, and at least one. (A function has a
 * `bind` of its own, so `fromToken` without its call would pass for one.)
 */
export function checkedSources(owner: string, sources: unknown): readonly AnySource[] {
  if (!Array.isArray(sources) || sources.length === 0) {
    throw new TypeError(`${owner}: give it at least one source, such as fromToken(…) or fromHttpSession(…)`);
  }
  for (const source of sources as readonly (Partial<AnySource> | null)[]) {
    if (typeof source !== 'object' || typeof source?.bind !== 'function') {
      const got = kindOf(source);
      throw new TypeError(`${owner}: a source must be made by fromToken(…), fromHttpSession(…), fromJwt(…) or defineSource(…), got ${got}`);
    }
  }
  return sources as readonly AnySource[];
}
