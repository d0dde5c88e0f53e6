import type { Collection, CollectionOptions, Db } from 'mongodb';
import { aFlag, aFunction, aName, anything, checkedOptions, type Rules } from '../../src/checked-options.js';
import { kindOf } from '../../src/kind-of.js';
import { timedRules } from '../../src/time/timed-options.js';
import { checkDb, checkDriver } from './check-db.js';
import { DrfFollower } from './drf-follower.js';
import { DrfSource } from './drf-source.js';
import { makeIndex } from './make-index.js';
import { tokenSourceIndex } from './needed-indexes.js';
import { Operations } from './operations.js';
import { type MongoOptions, plainNumbers } from './options.js';
import type { TokenDocument } from './token-document.js';

/** Options of {@link importDrfTokens}. */
export interface ImportDrfTokensOptions extends MongoOptions {
  /** The tokens of Django REST framework (`key`, `user_id`, `created`): a collection, or the name of one in the same database. */
  readonly from: Collection | string;
  /** Whether tokens that are issued and deleted there afterwards are carried over too; needs a replica set. @default false */
  readonly keepUp?: boolean | undefined;
  /** The collection that they are imported into. @default 'tokens' */
  readonly collection?: string | undefined;
  /** With `keepUp`, told why keeping up was interrupted; it goes on after 1 to 30 seconds. @default a warning of the process */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** An import that was made; with `keepUp` it goes on. */
export interface DrfImport extends AsyncDisposable {
  /** How many tokens are new here. */
  readonly imported: number;
  /** How many imported tokens were revoked, as they are no longer there. */
  readonly revoked: number;
  /** How many documents were skipped: they have no key, or no user. */
  readonly skipped: number;
  /** Ends keeping up. */
  close(): Promise<void>;
}

const owner = 'importDrfTokens';

const importRules: Rules<ImportDrfTokensOptions> = {
  ...timedRules,
  from: anything, // is looked at more closely below
  keepUp: aFlag,
  collection: aName,
  onError: aFunction,
};

/**
 * Takes over the tokens of Django REST framework: their keys go on working, and are kept as digests. You may run it again at any time: it
 * revokes tokens that were deleted at their source since, and tokens that were revoked here stay revoked.
 *
 * @throws {TypeError} (as a rejection) when an option is missing or out of its range.
 */
export async function importDrfTokens(db: Db, options: ImportDrfTokensOptions): Promise<DrfImport> {
  checkDb(owner, db);
  const checked = checkedOptions(owner, options, importRules);
  const { from, keepUp = false, collection = 'tokens', onError = warn } = checked;
  const source = sourceOf(db, from);
  const tokens = db.collection<TokenDocument>(collection);
  if (source.namespace === tokens.namespace && source.db.client === db.client) {
    throw new TypeError(`${owner}: from must be another collection than the one that is imported into, got ${source.namespace} for both`);
  }
  const operations = new Operations(checked);
  const name = source.dbName === db.databaseName ? source.collectionName : source.namespace;
  const drf = new DrfSource({ source, tokens, name, operations });
  await makeIndex(tokens, tokenSourceIndex);

  if (!keepUp) return { ...(await drf.importAll(new AbortController().signal)), ...endedBy(async () => {}) };
  const follower = new DrfFollower(source, drf, operations, onError);
  return { ...(await follower.start()), ...endedBy(() => follower.close()) };
}

/** What is read at the source is understood here, whatever its database was told about types. */
const sourceOptions: CollectionOptions = {
  raw: false,
  promoteValues: true,
  ...plainNumbers,
  readPreference: 'primary',
};

function sourceOf(db: Db, from: Collection | string): Collection {
  if (typeof from === 'string' && from !== '') return db.collection(from, sourceOptions);
  const { collectionName, db: sourceDb }: Partial<Collection> = (from as Collection | null | undefined) ?? {};
  if (typeof from === 'object' && typeof collectionName === 'string') {
    checkDriver(owner, 'the db of from', sourceDb as Db);
    return (sourceDb as Db).collection(collectionName, sourceOptions);
  }
  throw new TypeError(`${owner}: from must be a collection or its name, got ${kindOf(from)}`);
}

function endedBy(close: () => Promise<void>): Pick<DrfImport, 'close' | typeof Symbol.asyncDispose> {
  return { close, [Symbol.asyncDispose]: close };
}

function warn(error: unknown): void {
  process.emitWarning(`Keeping up with the tokens of Django REST framework was interrupted: ${String(error)}`, 'WsWithWarning');
}
