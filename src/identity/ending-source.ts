import { authenticationOf } from '../authentication.js';
import { isValidDate } from '../checked-date.js';
import type { Rule } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { Standing } from './recheck.js';
import type { BoundSource, Finding } from './user-source.js';

/** What an option `until` must be. */
export const aMoment: Rule = {
  must: 'a valid Date',
  accepts: isValidDate,
};

/** What tells a source that ends from one that does not, or ends at another time. */
export function untilAsked(until: Date | undefined): readonly unknown[] {
  return until === undefined ? [] : [`until ${until.getTime()}`];
}

/**
 * `source` as it is where it ends at `until`: what it finds counts until then at the longest. From then on whatever would count has
 * expired; it is looked up all the same, so that it can be told who still comes by it.
 */
export function endingAt(until: Date | undefined, source: BoundSource, clock: Clock): BoundSource {
  if (until === undefined) return source;
  const end = new Date(until);
  const within = (finding: Finding): Finding => findingUntil(end, finding, clock.now());
  const { keys, recheck } = source;
  return {
    ...source,
    until: end,
    unending: source,
    find: async (request, lookUps) => within(await source.find(request, lookUps)),
    ...(keys !== undefined && {
      keys: { accepts: (key) => keys.accepts(key), find: async (key, lookUps) => within(await keys.find(key, lookUps)) },
    }),
    ...(recheck !== undefined && {
      recheck: {
        isBatched: recheck.isBatched,
        ask: async (credentials, aborting) => standingsUntil(end, await recheck.ask(credentials, aborting)),
      },
    }),
  };
}

/** The earlier of both. */
function earlier(end: Date, expiresAt: Date | undefined): Date {
  return expiresAt === undefined || end < expiresAt ? end : expiresAt;
}

function findingUntil(end: Date, finding: Finding, now: number): Finding {
  const { user, authentication } = finding;
  if (user === undefined) return finding;
  if (end.getTime() > now) {
    return { ...finding, authentication: Object.freeze({ ...authentication, expiresAt: earlier(end, authentication.expiresAt) }) };
  }
  const { source, carrier, tokenId } = authentication;
  return { user: undefined, authentication: authenticationOf({ outcome: 'expired', source, carrier, tokenId, hasSourceEnded: true }) };
}

function standingsUntil(end: Date, standings: ReadonlyMap<string, Standing | Error>): ReadonlyMap<string, Standing | Error> {
  const bounded = new Map<string, Standing | Error>();
  for (const [id, standing] of standings) {
    const isKept = standing instanceof Error || (standing.isPartial === true && standing.expiresAt === undefined);
    bounded.set(id, isKept ? standing : { ...standing, expiresAt: earlier(end, standing.expiresAt) });
  }
  return bounded;
}
