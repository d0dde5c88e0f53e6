import type { Command } from 'commander';
import type { Db } from 'mongodb';
import type { IssuedToken, TokenId, TokenInfo } from 'ws-with';
import { MongoTokenRepository, MongoUserRepository } from 'ws-with/mongodb';
import { duration, durationOrNone } from '../duration.js';
import { type Output, table } from '../output.js';
import { printable } from '../printable.js';
import { UsageError } from '../usage-error.js';
import { type GlobalOptions, withDatabase } from '../with-database.js';

interface IssueOptions {
  readonly ttl?: number | undefined;
  readonly label?: string | undefined;
  readonly scope?: readonly string[] | undefined;
}

interface ExtendOptions {
  readonly ttl: number;
  readonly maxAge?: number | undefined;
}

interface RotateOptions {
  readonly grace: number;
  readonly ttl?: number | undefined;
}

/** Runs `work` on the tokens of the database. */
function withTokens<T>(options: GlobalOptions, output: Output, work: (tokens: MongoTokenRepository, db: Db) => Promise<T>): Promise<T> {
  return withDatabase(options, output, async (db) => {
    await using tokens = new MongoTokenRepository(db, { collection: options.tokens, users: { collection: options.users } });
    return await work(tokens, db);
  });
}

async function issue(userId: string, given: IssueOptions, options: GlobalOptions, output: Output): Promise<void> {
  const issued = await withTokens(options, output, async (tokens, db) => {
    const user = await new MongoUserRepository(db, { collection: options.users }).findById(userId);
    if (user === undefined) throw new UsageError(`There is no active user ${userId} in the collection ${options.users}.`);
    return tokens.issue(userId, { ttlMs: given.ttl, label: given.label, scopes: given.scope });
  });
  show(issued, options, output);
}

/** A new token, whose key is seen this once. */
function show({ key, id, userId, expiresAt }: IssuedToken, options: GlobalOptions, output: Output): void {
  if (options.json === true) {
    output.out(JSON.stringify({ key, id, userId, expiresAt: expiresAt?.toISOString() ?? null }));
    return;
  }
  output.out(`key      ${key}\nid       ${id}\nuser     ${printable(userId)}\nexpires  ${expiresAt?.toISOString() ?? 'never'}`);
  output.error('The key is shown this once. Only its digest is stored.');
}

/** A date as ISO 8601; one that somebody else has put there may be none. */
function textOf(date: Date | undefined, otherwise: string): string {
  if (date === undefined) return otherwise;
  return date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : 'unreadable';
}

/** A text; what somebody else has put there may be none. */
function labelOf(label: unknown): string {
  if (label === undefined || label === null) return '';
  return typeof label === 'string' ? label : 'unreadable';
}

function scopesOf(scopes: unknown): string {
  if (scopes === undefined || scopes === null) return '';
  return Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string') ? scopes.join(' ') : 'unreadable';
}

function row({ id, label, createdAt, expiresAt, lastUsedAt, scopes }: TokenInfo): string[] {
  const dates = [textOf(createdAt, 'unknown'), textOf(expiresAt, 'never'), textOf(lastUsedAt, 'never')];
  return [id, labelOf(label), ...dates, scopesOf(scopes)];
}

async function list(userId: string, options: GlobalOptions, output: Output): Promise<void> {
  const infos = await withTokens(options, output, (tokens) => tokens.listOf(userId));
  if (options.json === true) output.out(JSON.stringify(infos));
  else if (infos.length === 0) output.out(`${printable(userId)} has no tokens.`);
  else output.out(table(['ID', 'LABEL', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPES'], infos.map(row)));
}

/** @throws {UsageError} when `id` is none, without saying what it is: it may be a key. */
function checkedId(id: string): TokenId {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new UsageError('ID must be the 64 hexadecimal digits that issue and list show, not a key.');
  return id as TokenId;
}

/** The latest moment that a `Date` can hold, which an issuer gives for a token without an end. */
const never = 8_640_000_000_000_000;

async function extend(id: string, { ttl, maxAge }: ExtendOptions, options: GlobalOptions, output: Output): Promise<void> {
  const tokenId = checkedId(id);
  const end = await withTokens(options, output, (tokens) => tokens.extend(tokenId, { ttlMs: ttl, maxAgeMs: maxAge }));
  const expiresAt = end === undefined || end.getTime() === never ? null : end.toISOString();
  if (options.json === true) output.out(JSON.stringify({ id, extended: end !== undefined, expiresAt }));
  else if (end !== undefined) output.out(`${id} expires ${expiresAt ?? 'never'}.`);
  if (end === undefined) throw new Error(`${id} is no token, or counts no more.`);
}

async function rotate(id: string, { grace, ttl }: RotateOptions, options: GlobalOptions, output: Output): Promise<void> {
  const tokenId = checkedId(id);
  const issued = await withTokens(options, output, (tokens) => tokens.rotate(tokenId, { graceMs: grace, ttlMs: ttl }));
  if (issued === undefined) throw new Error(`${id} is no token, or counts no more.`);
  show(issued, options, output);
}

async function revoke(id: string, options: GlobalOptions, output: Output): Promise<void> {
  const tokenId = checkedId(id);
  const revoked = await withTokens(options, output, (tokens) => tokens.revoke(tokenId));
  if (options.json === true) output.out(JSON.stringify({ id, revoked }));
  else if (revoked) output.out(`Revoked ${id}.`);
  if (!revoked) throw new Error(`${id} is no token, or was revoked before.`);
}

async function revokeAll(userId: string, options: GlobalOptions, output: Output): Promise<void> {
  const revoked = await withTokens(options, output, (tokens) => tokens.revokeAllOf(userId));
  if (options.json === true) output.out(JSON.stringify({ userId, revoked }));
  else if (revoked > 0) output.out(`Revoked ${revoked} ${revoked === 1 ? 'token' : 'tokens'} of ${printable(userId)}.`);
  if (revoked === 0) throw new Error(`${userId} has no tokens.`);
}

/** `token issue`, `token list`, `token extend`, `token rotate`, `token revoke`, `token revoke-all`. */
export function addTokenCommands(program: Command, output: Output): void {
  const token = program.command('token').description('issue, list, extend, rotate and revoke tokens');
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
  addRenewalCommands(token, output);
  token
    .command('revoke')
    .description('revoke one token; exits with 1 where there was none to revoke')
    .argument('<id>', "the token's id, as issue and list show it")
    .action((id: string, _given: object, command: Command) => revoke(id, command.optsWithGlobals(), output));
  token
    .command('revoke-all')
    .description('revoke all tokens of a user; exits with 1 where there was none to revoke')
    .argument('<user>', "the user's id")
    .action((user: string, _given: object, command: Command) => revokeAll(user, command.optsWithGlobals(), output));
}

function addRenewalCommands(token: Command, output: Output): void {
  token
    .command('extend')
    .description('let a token live longer; never shorter. Exits with 1 where it counts no more')
    .argument('<id>', "the token's id, as issue and list show it")
    .requiredOption('--ttl <duration>', 'how long it lives from now, such as 30d or 12h', duration)
    .option('--max-age <duration>', 'how old it may become, counted from when it was issued (default: as old as it likes)', duration)
    .action((id: string, given: ExtendOptions, command: Command) => extend(id, given, command.optsWithGlobals(), output));
  token
    .command('rotate')
    .description('exchange a token for a new one, and show its key, this once; exits with 1 where it counts no more')
    .argument('<id>', "the token's id, as issue and list show it")
    .option('--grace <duration>', 'how long the old key works yet, such as 10m', durationOrNone, 0)
    .option('--ttl <duration>', 'how long the new token lives (default: as long as the old one would have)', duration)
    .action((id: string, given: RotateOptions, command: Command) => rotate(id, given, command.optsWithGlobals(), output));
}
