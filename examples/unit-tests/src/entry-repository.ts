import type { InjectionToken } from 'tsyringe';

/** What somebody wrote into the guestbook. */
export interface Entry {
  readonly author: string;
  readonly text: string;
}

/** Keeps the entries of the guestbook. */
export interface EntryRepository {
  /** The newest entries, oldest of them first. */
  latest(count: number): Promise<readonly Entry[]>;
  append(entry: Entry): Promise<void>;
}

function token<Dependency>(name: string): InjectionToken<Dependency> {
  return Symbol.for(name);
}

/** Where an {@link EntryRepository} is registered. */
export const ENTRY_REPOSITORY: InjectionToken<EntryRepository> = token('guestbook.ENTRY_REPOSITORY');
