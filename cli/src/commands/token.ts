import type { Command } from 'commander';
import type { Db } from 'mongodb';
import type { TokenId, TokenInfo } from 'ws-with';
import { MongoTokenRepository, MongoUserRepository } from 'ws-with/mongodb';
import { type GlobalOptions, UsageError, withDatabase } from '../connection.js';
import { duration } from '../duration.js';
import { type Output, table } from '../output.js';
import { printable } from '../printable.js';

interface IssueOptions {
  readonly ttl?: number | undefined;
  readonly label?: string | undefined;
  readonly scope?: readonly string[] | undefined;
}

/** Runs `work` on the tokens of the database. */
function withTokens<T>(options: GlobalOptions, work: (tokens: MongoTokenRepository, db: Db) => Promise<T>): Promise<T> {
  return withDatabase(options, async (db) => {
    await using tokens = new MongoTokenRepository(db, { collection: options.tokens, users: { collection: options.users } });
    return await work(tokens, db);
  });
}

async function issue(userId: string, given: IssueOptions, options: GlobalOptions, output: Output): Promise<void> {
  const issued = await withTokens(options, async (tokens, db) => {
    const user = await new MongoUserRepository(db, { collection: options.users }).findById(userId);
    if (user === undefined) throw new UsageError(`There is no active user ${userId} in the collection ${options.users}.`);
    return tokens.issue(userId, { ttlMs: given.ttl, label: given.label, scopes: given.scope });
  });
  const { key, id, expiresAt } = issued;
  if (options.json === true) {
    output.out(JSON.stringify({ key, id, userId: issued.userId, expiresAt: expiresAt?.toISOString() ?? null }));
    return;
  }
  output.out(`key      ${key}\nid       ${id}\nuser     ${printable(issued.userId)}\nexpires  ${expiresAt?.toISOString() ?? 'never'}`);
  output.error('The key is shown this once. Only its digest is stored.');
}

/** A date as ISO 8601; one that somebody else has put there may be none. */
function textOf(date: Date | undefined, otherwise: string): string {
  if (date === undefined) return otherwise;
  return date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : 'unreadable';
}

function row({ id, label, createdAt, expiresAt, lastUsedAt, scopes }: TokenInfo): string[] {
  const dates = [textOf(createdAt, 'unknown'), textOf(expiresAt, 'never'), textOf(lastUsedAt, 'never')];
  return [id, label ?? '', ...dates, scopes?.join(' ') ?? ''];
}

async function list(userId: string, options: GlobalOptions, output: Output): Promise<void> {
  const infos = await withTokens(options, (tokens) => tokens.listOf(userId));
  if (options.json === true) output.out(JSON.stringify(infos));
  else if (infos.length === 0) output.out(`${printable(userId)} has no tokens.`);
  else output.out(table(['ID', 'LABEL', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPES'], infos.map(row)));
}

async function revoke(id: string, options: GlobalOptions, output: Output): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new UsageError('ID must be the 64 hexadecimal digits that issue and list show, not a key.');
  const revoked = await withTokens(options, (tokens) => tokens.revoke(id as TokenId));
  if (options.json === true) output.out(JSON.stringify({ id, revoked }));
  else if (revoked) output.out(`Revoked ${id}.`);
  if (!revoked) throw new Error(`${id} is no token, or was revoked before.`);
}

/** `token issue`, `token list`, `token revoke`. */
export function addTokenCommands(program: Command, output: Output): void {
  const token = program.command('token').description('issue, list and revoke tokens');
  token
    .command('issue')
    .description('make a token for a user and show its key, this once')
    .argument('<user>', "the user's id")
    .option('--ttl <duration>', 'how long it lives, such as 30d or 12h (default: for ever)', duration)
    .option('--label <text>', 'what the user calls it, such as "phone"')
    .option('--scope <scope...>', 'what it may be used for')
    .action((user: string, given: IssueOptions, command: Command) => issue(user, given, command.optsWithGlobals(), output));
  token
    .command('list')
    .description("a user's tokens that are neither expired nor revoked")
    .argument('<user>', "the user's id")
    .action((user: string, _given: object, command: Command) => list(user, command.optsWithGlobals(), output));
  token
    .command('revoke')
    .description('revoke one token; exits with 1 where there was none to revoke')
    .argument('<id>', "the token's id, as issue and list show it")
    .action((id: string, _given: object, command: Command) => revoke(id, command.optsWithGlobals(), output));
}
