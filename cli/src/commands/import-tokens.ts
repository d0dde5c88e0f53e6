import { once } from 'node:events';
import type { Command } from 'commander';
import { importDrfTokens } from 'ws-with/mongodb';
import { checkTokens } from '../collections.js';
import type { Output } from '../output.js';
import { type GlobalOptions, withDatabase } from '../with-database.js';

interface ImportOptions {
  readonly from: string;
  readonly keepUp?: boolean | undefined;
}

async function importDrf({ from, keepUp = false }: ImportOptions, options: GlobalOptions, output: Output): Promise<void> {
  await withDatabase(options, output, async (db) => {
    const onError = (error: unknown): void =>
      output.error(`Interrupted, trying again: ${error instanceof Error ? error.message : String(error)}`);
    await checkTokens(db, options.tokens);
    output.error(`Importing from ${from} into the collection ${options.tokens} of the database ${db.databaseName}.`);
    await using done = await importDrfTokens(db, { from, keepUp, collection: options.tokens, onError });
    const { imported, revoked, skipped } = done;
    if (options.json === true) output.out(JSON.stringify({ imported, revoked, skipped }));
    else output.out(`${imported} imported, ${revoked} revoked, ${skipped} skipped.`);
    if (!keepUp) return;
    output.error('Keeping up with changes; end with Ctrl-C.');
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  });
}

/** `tokens import-drf`. */
export function addImportCommands(program: Command, output: Output): void {
  program
    .command('tokens')
    .description('take tokens over from elsewhere')
    .command('import-drf')
    .description('take over the tokens of Django REST framework; their keys go on working, and only digests are kept')
    .requiredOption('--from <collection>', 'the collection that holds them (key, user_id)')
    .option('--keep-up', 'go on with those that are issued and deleted there afterwards; needs a replica set')
    .action((given: ImportOptions, command: Command) => importDrf(given, command.optsWithGlobals(), output));
}
