import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../authentication.js';
import type { BoundSource, Finding, HttpSessionLookup } from './user-source.js';

const nothing: Authentication = Object.freeze({ outcome: 'missing', source: undefined });

/**
 * Asks `sources` in turn: the first that yields a user decides. One that fails ends the search with its error. If none yields a user, the
 * outcome is that of the first that presented something.
 */
export async function identify(
  request: IncomingMessage,
  sources: readonly BoundSource[],
  httpSession: HttpSessionLookup,
): Promise<Finding> {
  let first: Finding | undefined;
  let empty: Finding | undefined; // a session in which nobody has logged in: it says less than a token that counts no more
  for (const source of sources) {
    const finding = await source.find(request, httpSession);
    if (finding.user !== undefined) return finding;
    if (finding.authentication.outcome !== 'missing') first ??= finding;
    else if (finding.authentication.source !== undefined) empty ??= finding;
  }
  return first ?? empty ?? { user: undefined, authentication: nothing };
}
