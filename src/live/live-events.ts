import { digestOf, type Events, type RevalidationEvent } from '../events.js';
import type { IdentityKeys } from '../identity/user-source.js';

/** What is told of a round of look-ups. */
interface ToldRound extends Pick<RevalidationEvent, 'asked' | 'ended' | 'failed'> {
  readonly source: Pick<RevalidationEvent, 'source'>;
  /** When it began; `undefined` where nobody listened. */
  readonly start: number | undefined;
}

/** A round of look-ups is over. */
export function tellRevalidation(events: Events, { source: { source }, asked, ended, failed, start }: ToldRound): void {
  if (asked === 0 || !events.isHeard('revalidation')) return;
  events.emit({ type: 'revalidation', source, asked, ended, failed, durationMs: events.since(start) });
}

/** What is told of a revocation. */
interface ToldRevocation {
  readonly keys: IdentityKeys;
  readonly isHint: boolean;
  /** Those that it concerns. */
  readonly channels: readonly { readonly isOpen: boolean }[];
}

/** Somebody took rights away from whatever has `keys`. */
export function tellRevocation(events: Events, { keys, isHint, channels: found }: ToldRevocation): void {
  if (!events.isHeard('revocation')) return;
  const { tokenId, userId, httpSessionId } = keys;
  const channels = found.filter(({ isOpen }) => isOpen).length;
  if (tokenId !== undefined) events.emit({ type: 'revocation', kind: 'token', subject: tokenId, isHint, channels });
  else if (userId !== undefined) events.emit({ type: 'revocation', kind: 'user', subject: digestOf(userId), isHint, channels });
  else if (httpSessionId !== undefined)
    events.emit({ type: 'revocation', kind: 'http-session', subject: digestOf(httpSessionId), isHint, channels });
}
