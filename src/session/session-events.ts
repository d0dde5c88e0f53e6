import { codeOf } from '../errors.js';
import type { Events } from '../events.js';
import type { Commit, MergedCommits, WaitingCommit } from './merge-commits.js';

/** One write, done or failed. */
export interface Save {
  readonly commits: readonly Commit[];
  /** Those among them that could not be merged. */
  readonly failures: ReadonlyMap<Commit, unknown>;
  /** When it began; `undefined` where nobody listened. */
  readonly start: number | undefined;
  /** What failed it. */
  readonly error?: unknown;
}

/** What the commits that had their way came to, together. */
export function tellSave(events: Events, { commits, failures, start, error }: Save): void {
  if (!events.isHeard('save')) return;
  const channelIds = channelIdsOf(commits.filter((commit) => !failures.has(commit)));
  const code = error === undefined ? undefined : (codeOf(error) ?? 'ERR_SESSION_SAVE_FAILED');
  events.emit({ type: 'save', channelIds, commits: channelIds.length, code, durationMs: events.since(start) });
}

/** Others came before `commits`: those whose time is over fail, the rest is tried again. */
export function tellConflict(events: Events, commits: readonly WaitingCommit[], isOver: (commit: WaitingCommit) => boolean): void {
  if (!events.isHeard('conflict')) return;
  emitConflict(events, commits.filter(isOver), false);
  emitConflict(
    events,
    commits.filter((commit) => !isOver(commit)),
    true,
  );
}

/** Of commits that could not be merged, those that others came before. */
export function tellFailedConflicts(events: Events, failures: MergedCommits['failures']): void {
  if (failures.size === 0 || !events.isHeard('conflict')) return;
  const conflicts = [...failures].filter(([, error]) => codeOf(error) === 'ERR_SESSION_CONFLICT');
  emitConflict(
    events,
    conflicts.map(([commit]) => commit),
    false,
  );
}

function emitConflict(events: Events, commits: readonly WaitingCommit[], isRetried: boolean): void {
  if (commits.length > 0) events.emit({ type: 'conflict', channelIds: channelIdsOf(commits), isRetried });
}

function channelIdsOf(commits: readonly Commit[]): readonly string[] {
  return commits.map(({ channel }) => channel.id);
}
