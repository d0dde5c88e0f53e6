import { type Change, type Changes, rebase } from './changes.js';
import type { Snapshot } from './session-data.js';

/** The channel whose message made changes. Its id is made when somebody reads it. */
export interface Committer {
  readonly id: string;
}

/** A commit as events tell of it: whose it is. */
export interface Commit {
  readonly channel: Committer;
}

/** A message's changes that wait to be saved. */
export interface WaitingCommit extends Commit {
  readonly changes: Changes;
  /** Until when it may be tried, on the monotonic clock. */
  readonly end: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** What several commits make of a session in one write. */
export interface MergedCommits {
  /** `undefined` where no commit has its way. */
  readonly changes: Changes | undefined;
  /** The commits that have not, each with its error. */
  readonly failures: ReadonlyMap<WaitingCommit, unknown>;
}

/** Puts the commits on top of `committed`, one after the other, and each of them whole or not at all. */
export function merge(commits: readonly WaitingCommit[], committed: Snapshot): MergedCommits {
  const [first] = commits;
  if (first !== undefined && commits.length === 1) return mergeOne(first, committed);
  const merged = new Map<string, Change>();
  const failures = new Map<WaitingCommit, unknown>();
  const newest = {
    get: (key: string) => {
      const change = merged.get(key);
      return change === undefined ? committed.get(key) : change.value;
    },
  };
  for (const commit of commits) {
    try {
      for (const change of rebase(commit.changes, newest)) merged.set(change.key, change);
    } catch (error) {
      failures.set(commit, error);
    }
  }
  return { changes: failures.size === commits.length ? undefined : [...merged.values()], failures };
}

/** Where each commit has its way. */
export const noFailures: ReadonlyMap<WaitingCommit, unknown> = new Map();

function mergeOne(commit: WaitingCommit, committed: Snapshot): MergedCommits {
  try {
    return { changes: rebase(commit.changes, committed), failures: noFailures };
  } catch (error) {
    return { changes: undefined, failures: new Map([[commit, error]]) };
  }
}
