import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { tokenIdOf } from 'ws-with';
import { duration } from '../src/duration.js';
import { runCommandLine } from '../src/program.js';

const run = promisify(execFile);
const mongod = inject('mongod');
const reason = 'missing' in mongod ? `: skipped, ${mongod.missing}` : '';

describe.skipIf('missing' in mongod)(`the command line${reason}`, () => {
  let client: MongoClient;
  let db: Db;
  let url: string;

  beforeAll(async () => {
    const target = new URL((mongod as { url: string }).url);
    target.pathname = '/cli-test';
    url = target.href;
    client = await MongoClient.connect(url);
    db = client.db();
  });
  beforeEach(async () => {
    await db.dropDatabase();
    await db.collection<{ _id: string }>('users').insertOne({ _id: 'ann' });
  });
  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
  });

  async function ws(...args: string[]): Promise<{ code: number; out: string; error: string }> {
    const out: string[] = [];
    const error: string[] = [];
    const code = await runCommandLine(['--url', url, ...args], { out: (text) => out.push(text), error: (text) => error.push(text) });
    return { code, out: out.join('\n'), error: error.join('\n') };
  }

  it('issues a token whose key is shown once and stored as a digest', async () => {
    const { code, out } = await ws('--json', 'token', 'issue', 'ann', '--ttl', '30d', '--label', 'phone');
    const issued = JSON.parse(out) as { key: string; id: string; userId: string; expiresAt: string };
    expect(code).toBe(0);
    expect(Object.keys(issued).sort()).toEqual(['expiresAt', 'id', 'key', 'userId']);
    expect(issued).toMatchObject({ id: tokenIdOf(issued.key), userId: 'ann' });
    const stored = await db.collection<{ _id: string }>('tokens').findOne({ _id: issued.id });
    expect(stored).toMatchObject({ label: 'phone', expiresAt: new Date(issued.expiresAt) });
    expect(JSON.stringify(stored)).not.toContain(issued.key);
  });

  it('issues a token that never expires where no time is given, and warns that its key is shown this once', async () => {
    const { code, out, error } = await ws('token', 'issue', 'ann');
    expect(code).toBe(0);
    expect(out).toMatch(/^key {6}[0-9a-f]{40}$/m);
    expect(out).toMatch(/^expires {2}never$/m);
    expect(error).not.toBe('');
  });

  it('issues nothing for a user who is not there', async () => {
    const { code } = await ws('token', 'issue', 'nobody');
    expect(code).toBe(2);
    expect(await db.collection('tokens').countDocuments()).toBe(0);
  });

  it('lists the tokens of a user without their keys', async () => {
    const { key, id } = JSON.parse((await ws('--json', 'token', 'issue', 'ann', '--label', 'phone', '--scope', 'read', 'write')).out);
    const text = await ws('token', 'list', 'ann');
    expect(text.out).toContain(id);
    expect(text.out).toContain('phone');
    expect(text.out).not.toContain(key);
    const { out } = await ws('token', 'list', 'ann', '--json');
    expect(JSON.parse(out)).toMatchObject([{ id, label: 'phone', scopes: ['read', 'write'] }]);
    expect((await ws('token', 'list', 'bob')).code).toBe(0);
  });

  it('revokes a token once, and says with its exit code where there was none', async () => {
    const { id } = JSON.parse((await ws('--json', 'token', 'issue', 'ann')).out);
    expect((await ws('token', 'revoke', id)).code).toBe(0);
    expect((await ws('token', 'revoke', id)).code).toBe(1);
    expect(JSON.parse((await ws('--json', 'token', 'revoke', id)).out)).toEqual({ id, revoked: false });
    expect(JSON.parse((await ws('--json', 'token', 'list', 'ann')).out)).toEqual([]);
  });

  it('refuses a key where an id belongs, and does not repeat it', async () => {
    const { key } = JSON.parse((await ws('--json', 'token', 'issue', 'ann')).out);
    const { code, error } = await ws('token', 'revoke', key);
    expect(code).toBe(2);
    expect(error).not.toContain(key);
  });

  it('counts and purges sessions', async () => {
    const now = Date.now();
    const record = (expiresAt: number) => ({ version: 1, data: '{}', createdAt: new Date(now), expiresAt: new Date(expiresAt) });
    await db.collection('channelSessions').insertMany([record(now + 60_000), record(now - 60_000), record(now - 60_000)]);
    expect(JSON.parse((await ws('--json', 'sessions', 'count')).out)).toEqual({ live: 1, expired: 2 });
    expect((await ws('sessions', 'count')).out).toMatch(/^1 live, 2 expired/);
    expect(JSON.parse((await ws('--json', 'sessions', 'purge')).out)).toEqual({ removed: 2 });
    expect((await ws('sessions', 'purge', '--all')).out).toBe('Removed 1.');
  });

  it('makes the indexes, and again without harm', async () => {
    expect((await ws('indexes', 'ensure')).code).toBe(0);
    expect(JSON.parse((await ws('--json', 'indexes', 'ensure')).out)).toEqual({ ensured: true });
    expect((await db.collection('tokens').indexes()).length).toBeGreaterThan(1);
  });

  it('takes over the tokens of Django REST framework', async () => {
    const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
    await db.collection('authtoken_token').insertOne({ key, user_id: 'ann', created: new Date() });
    const { out, code } = await ws('--json', 'tokens', 'import-drf', '--from', 'authtoken_token');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ imported: 1, revoked: 0, skipped: 0 });
    expect(JSON.parse((await ws('--json', 'token', 'list', 'ann')).out)).toMatchObject([{ id: tokenIdOf(key) }]);
    expect((await ws('tokens', 'import-drf', '--from', 'authtoken_token')).out).toBe('0 imported, 0 revoked, 0 skipped.');
  });

  it('reads the database from MONGODB_URL as an installed command', async () => {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const { stdout } = await run(process.execPath, [main, '--json', 'token', 'issue', 'ann'], {
      env: { ...process.env, MONGODB_URL: url },
    });
    expect(JSON.parse(stdout)).toMatchObject({ userId: 'ann', expiresAt: null });
  });
});

describe('the command line without a database', () => {
  async function ws(...args: string[]): Promise<{ code: number; out: string; error: string }> {
    const out: string[] = [];
    const error: string[] = [];
    const code = await runCommandLine(args, { out: (text) => out.push(text), error: (text) => error.push(text) });
    return { code, out: out.join('\n'), error: error.join('\n') };
  }

  it('prints help with code 0, and usage with code 2 where it is called wrongly', async () => {
    expect((await ws('--help')).code).toBe(0);
    expect((await ws('token', 'issue', '--help')).out).toContain('--ttl');
    expect((await ws('token', 'burn')).code).toBe(2);
    expect((await ws('token', 'issue', 'ann', '--ttl', 'soon')).code).toBe(2);
    expect((await ws('tokens', 'import-drf')).code).toBe(2);
  });

  it('says that a database is missing', async () => {
    const before = process.env.MONGODB_URL;
    delete process.env.MONGODB_URL;
    try {
      expect((await ws('sessions', 'count')).code).toBe(2);
    } finally {
      if (before !== undefined) process.env.MONGODB_URL = before;
    }
  });

  it('fails with code 1 where the database is out of reach, and does not repeat its password', async () => {
    const { code, error } = await ws('--url', 'mongodb://ann:hunter2@127.0.0.1:1/x?serverSelectionTimeoutMS=200', 'sessions', 'count');
    expect(code).toBe(1);
    expect(error).not.toContain('hunter2');
  });

  it('reads durations', () => {
    expect([duration('30d'), duration('12h'), duration('90s')]).toEqual([2_592_000_000, 43_200_000, 90_000]);
    for (const text of ['', '30', 'd', '0s', '-1d', '1 fortnight']) expect(() => duration(text)).toThrow();
  });
});
