import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { tokenIdOf } from 'ws-with';
import packageJson from '../package.json' with { type: 'json' };
import { duration } from '../src/duration.js';
import { runCommandLine } from '../src/program.js';

const run = promisify(execFile);
const { version } = packageJson;
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

  /** The same with `--json`: what it prints, parsed. */
  async function wsJson(...args: string[]) {
    return JSON.parse((await ws('--json', ...args)).out);
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
    const { key, id } = await wsJson('token', 'issue', 'ann', '--label', 'phone', '--scope', 'read', 'write');
    const text = await ws('token', 'list', 'ann');
    expect(text.out).toContain(id);
    expect(text.out).toContain('phone');
    expect(text.out).not.toContain(key);
    const { out } = await ws('token', 'list', 'ann', '--json');
    expect(JSON.parse(out)).toMatchObject([{ id, label: 'phone', scopes: ['read', 'write'] }]);
    expect((await ws('token', 'list', 'bob')).code).toBe(0);
  });

  it('revokes a token once, and says with its exit code where there was none', async () => {
    const { id } = await wsJson('token', 'issue', 'ann');
    expect((await ws('token', 'revoke', id)).code).toBe(0);
    expect((await ws('token', 'revoke', id)).code).toBe(1);
    expect(await wsJson('token', 'revoke', id)).toEqual({ id, revoked: false });
    expect(await wsJson('token', 'list', 'ann')).toEqual([]);
  });

  it('revokes all tokens of a user and nobody else, and says with its exit code where there was none', async () => {
    await db.collection<{ _id: string }>('users').insertOne({ _id: 'bob' });
    for (const user of ['ann', 'ann', 'bob']) await ws('token', 'issue', user);
    const { code, out } = await ws('token', 'revoke-all', 'ann');
    expect(code).toBe(0);
    expect(out).toContain('2');
    expect(await wsJson('token', 'list', 'ann')).toEqual([]);
    expect(await wsJson('token', 'list', 'bob')).toHaveLength(1);
    const again = await ws('--json', 'token', 'revoke-all', 'ann');
    expect([again.code, JSON.parse(again.out)]).toEqual([1, { userId: 'ann', revoked: 0 }]);
  });

  it('rotates without a grace where it is told to', async () => {
    for (const grace of ['0', '0s', '0m', '0.0h']) {
      const { id } = await wsJson('token', 'issue', 'ann');
      expect((await ws('--json', 'token', 'rotate', id, '--grace', grace)).code).toBe(0);
      const [{ graceEndsAt }] = (await db.collection('tokens').find({ _id: id }).toArray()) as unknown as [{ graceEndsAt: Date }];
      expect(graceEndsAt.getTime()).toBeLessThanOrEqual(Date.now());
    }
    const { id } = await wsJson('token', 'issue', 'ann');
    for (const grace of ['-1s', '10', 'none', '0x']) expect((await ws('token', 'rotate', id, '--grace', grace)).code).toBe(2);
  });

  it('extends a token, never shortens it, and says with its exit code where there is none', async () => {
    const { id } = await wsJson('token', 'issue', 'ann', '--ttl', '1h');
    const endOf = async (...args: string[]): Promise<number> => Date.parse((await wsJson('token', 'extend', id, ...args)).expiresAt);
    const end = await endOf('--ttl', '2h');
    expect(end).toBeGreaterThan(Date.now() + 3_600_000);
    expect(await endOf('--ttl', '1m')).toBe(end);
    expect(await endOf('--ttl', '30d', '--max-age', '1h')).toBe(end);
    expect((await ws('token', 'extend', id, '--ttl', '3h')).out).toContain(id);
    const endless = await wsJson('token', 'issue', 'ann');
    expect((await ws('token', 'extend', endless.id, '--ttl', '1h')).out).toContain('never');
    expect((await ws('token', 'extend', id)).code).toBe(2);
    await ws('token', 'revoke', id);
    const { code, out } = await ws('--json', 'token', 'extend', id, '--ttl', '1h');
    expect([code, JSON.parse(out)]).toEqual([1, { id, extended: false, expiresAt: null }]);
  });

  it('exchanges a token for another, whose key it shows this once', async () => {
    const { id, key } = await wsJson('token', 'issue', 'ann', '--label', 'phone');
    const { code, out, error } = await ws('token', 'rotate', id, '--grace', '10m');
    expect(code).toBe(0);
    expect(error).not.toBe('');
    const [, next] = /^key {6}([0-9a-f]{40})$/m.exec(out) ?? [];
    expect(next).not.toBe(key);
    const listed = await wsJson('token', 'list', 'ann');
    expect(listed).toMatchObject([
      { id, label: 'phone' },
      { id: tokenIdOf(String(next)), label: 'phone' },
    ]);
    const last = JSON.parse((await ws('--json', 'token', 'rotate', tokenIdOf(String(next)))).out);
    expect((await wsJson('token', 'list', 'ann')).map((token: { id: string }) => token.id)).toEqual([id, last.id]);
    expect((await ws('token', 'rotate', tokenIdOf(String(next)))).code).toBe(1);
    expect((await ws('token', 'rotate', key)).code).toBe(2);
  });

  it('lists rows that somebody else has put there', async () => {
    const row = { userId: 'ann', createdAt: 'yesterday', label: 5, scopes: { read: true } };
    await db.collection<{ _id: string }>('tokens').insertOne({ _id: 'f'.repeat(64), ...row });
    await db
      .collection<{ _id: string }>('tokens')
      .insertOne({ _id: 'e'.repeat(64), userId: 'ann', label: null, scopes: [1] } as { _id: string });
    const { code, out } = await ws('token', 'list', 'ann');
    expect(code).toBe(0);
    for (const id of ['f'.repeat(64), 'e'.repeat(64)]) expect(out).toContain(id);
    expect((await ws('--json', 'token', 'list', 'ann')).code).toBe(0);
  });

  it('refuses a key where an id belongs, and does not repeat it', async () => {
    const { key } = await wsJson('token', 'issue', 'ann');
    const { code, error } = await ws('token', 'revoke', key);
    expect(code).toBe(2);
    expect(error).not.toContain(key);
  });

  it('counts and purges sessions', async () => {
    const now = Date.now();
    const record = (expiresAt: number) => ({ version: 1, data: '{}', createdAt: new Date(now), expiresAt: new Date(expiresAt) });
    await db.collection('channelSessions').insertMany([record(now + 60_000), record(now - 60_000), record(now - 60_000)]);
    expect(await wsJson('sessions', 'count')).toEqual({ live: 1, expired: 2 });
    expect((await ws('sessions', 'count')).out).toMatch(/^1 live, 2 expired/);
    expect(await wsJson('sessions', 'purge')).toEqual({ removed: 2 });
    expect((await ws('sessions', 'purge', '--all')).out).toBe('Removed 1.');
  });

  it('says what it will remove and from where, and removes nothing where it is only asked', async () => {
    await db.collection('channelSessions').insertOne({ version: 1, data: '{}', createdAt: new Date(0), expiresAt: new Date(0) });
    expect(await wsJson('sessions', 'purge', '--dry-run')).toEqual({ wouldRemove: 1 });
    expect((await ws('sessions', 'purge', '--all', '--dry-run')).out).toContain('channelSessions');
    expect(await db.collection('channelSessions').countDocuments()).toBe(1);
    const { error } = await ws('sessions', 'purge');
    for (const said of ['1', 'channelSessions', 'cli-test']) expect(error).toContain(said);
  });

  it('asks on a terminal before it removes live sessions, unless it is told not to', async () => {
    const record = { version: 1, data: '{}', createdAt: new Date(0), expiresAt: new Date(Date.now() + 60_000) };
    const purge = async (answer: boolean, ...args: string[]) => {
      await db.collection('channelSessions').replaceOne({}, record, { upsert: true });
      let asked = 0;
      const confirm = async () => {
        asked += 1;
        return answer;
      };
      await runCommandLine(['--url', url, 'sessions', 'purge', ...args], { out() {}, error() {}, confirm });
      return { asked, left: await db.collection('channelSessions').countDocuments() };
    };
    expect(await purge(false, '--all')).toEqual({ asked: 1, left: 1 });
    expect(await purge(true, '--all')).toEqual({ asked: 1, left: 0 });
    expect(await purge(false, '--all', '--yes')).toEqual({ asked: 0, left: 0 });
    expect(await purge(false)).toEqual({ asked: 0, left: 1 });
  });

  const over = new Date(0);
  it.each([
    ['users', [{ name: 'ann' }]],
    ['documents without a date', [{ version: 1, data: '{}', createdAt: over, other: 1 }]],
    ['what expires, too', [{ createdAt: over, expiresAt: over }]],
    ['drafts of the same fields and one more', [{ version: 1, data: '{}', createdAt: over, expiresAt: over, author: 'ann' }]],
    ['sessions of another program', [{ session: '{}', expires: over }]],
    ['our sessions and one thing else', [{ version: 1, data: '{}', createdAt: over, expiresAt: over }, { name: 'ann' }]],
  ])('refuses to count, purge or index a collection that holds %s', async (_, documents) => {
    await db.collection('orders').insertMany(documents.map((each) => ({ ...each })));
    const commands = [
      ['sessions', 'count'],
      ['sessions', 'purge'],
      ['sessions', 'purge', '--all', '--yes'],
      ['indexes', 'ensure'],
    ];
    for (const command of commands) expect((await ws('--sessions', 'orders', ...command)).code).toBe(2);
    expect((await ws('--tokens', 'orders', 'indexes', 'ensure')).code).toBe(2);
    expect((await ws('--tokens', 'orders', 'tokens', 'import-drf', '--from', 'users')).code).toBe(2);
    expect(await db.collection('orders').countDocuments()).toBe(documents.length);
    expect(await db.collection('orders').indexes()).toHaveLength(1);
  });

  it('removes sessions that cannot be read where it is told to, and no others', async () => {
    const live = new Date(Date.now() + 60_000);
    await db.collection('channelSessions').insertMany([
      { version: 1, data: '{}', createdAt: over },
      { version: 'one', data: '{}', createdAt: over, expiresAt: live },
      { version: 1, data: '{}', createdAt: over, expiresAt: live },
    ]);
    expect(await wsJson('sessions', 'count')).toEqual({ live: 1, expired: 0, unreadable: 2 });
    expect(await wsJson('sessions', 'purge')).toEqual({ removed: 0 });
    expect((await ws('sessions', 'purge', '--unreadable', '--dry-run')).out).toContain('2 sessions that are over or cannot be read');
    expect(await wsJson('sessions', 'purge', '--unreadable')).toEqual({ removed: 2 });
  });

  it('prints nothing that a terminal acts on, whatever the database or the caller says', async () => {
    const labels = [
      '\u001b[2J\u001b]0;x\u0007',
      'a\r\nb\tc',
      '\u202egnp.exe\u2066',
      '\u009b31m',
      '\u007f',
      '\u2028',
      '\ufeff',
      '\u{e0001}',
    ];
    const { id } = await wsJson('token', 'issue', 'ann');
    const acted = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
    for (const label of labels) {
      await db.collection<{ _id: string }>('tokens').updateOne({ _id: id }, { $set: { label, scopes: [label] } });
      const runs = [
        await ws('token', 'list', 'ann'),
        await ws('--json', 'token', 'list', 'ann'),
        await ws('token', 'list', `x${label}`),
        await ws('token', 'issue', `x${label}`),
        await ws('token', 'revoke', label),
        await ws('token', label),
        await ws('--users', `x${label}`, 'token', 'issue', 'ann'),
      ];
      for (const { out, error } of runs) expect(out + error).not.toMatch(acted);
      expect(JSON.parse(runs[1]!.out)).toMatchObject([{ label, scopes: [label] }]);
      expect(runs[0]?.out.split('\n')).toHaveLength(2);
    }
  });

  it('makes the indexes, and again without harm', async () => {
    expect((await ws('indexes', 'ensure')).code).toBe(0);
    expect(await wsJson('indexes', 'ensure')).toEqual({ ensured: true });
    expect((await db.collection('tokens').indexes()).length).toBeGreaterThan(1);
  });

  it('takes over the tokens of Django REST framework', async () => {
    const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
    await db.collection('authtoken_token').insertOne({ key, user_id: 'ann', created: new Date() });
    const { out, code } = await ws('--json', 'tokens', 'import-drf', '--from', 'authtoken_token');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ imported: 1, revoked: 0, skipped: 0 });
    expect(await wsJson('token', 'list', 'ann')).toMatchObject([{ id: tokenIdOf(key) }]);
    expect((await ws('tokens', 'import-drf', '--from', 'authtoken_token')).out).toBe('0 imported, 0 revoked, 0 skipped.');
  });

  it('works on the database that is named beside the URL, and says which it takes where none is', async () => {
    const server = new URL('/', url).href;
    const named = await ws('--url', server, '--db', 'cli-test', '--json', 'token', 'issue', 'ann');
    expect([named.code, await db.collection('tokens').countDocuments()]).toEqual([0, 1]);
    const over = await ws('--url', new URL('/elsewhere', url).href, '--db', 'cli-test', '--json', 'token', 'list', 'ann');
    expect([over.error, JSON.parse(over.out)]).toEqual(['', [expect.objectContaining({ id: JSON.parse(named.out).id })]]);
    for (const nameless of [server, server.slice(0, -1), `${server}?retryWrites=true`]) {
      const { code, error } = await ws('--url', nameless, '--json', 'token', 'list', 'ann');
      expect(code).toBe(0);
      expect(error).toMatch(/\btest\b.*--db/);
    }
  });

  it('refuses an empty name of a database, such as that of a variable that is not set', async () => {
    const { code, error } = await ws('--db', '', 'token', 'issue', 'ann');
    expect([code, await db.collection('tokens').countDocuments()]).toEqual([2, 0]);
    expect(error).toContain('--db');
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

  it('prints its version with code 0', async () => {
    const { code, out } = await ws('--version');
    expect([code, out]).toEqual([0, version]);
    expect((await ws('-V')).out).toBe(version);
  });

  it('prints help with code 0, and usage with code 2 where it is called wrongly', async () => {
    expect((await ws('--help')).code).toBe(0);
    expect((await ws('token', 'issue', '--help')).out).toContain('--ttl');
    expect((await ws('token', 'burn')).code).toBe(2);
    expect((await ws('token', 'issue', 'ann', '--ttl', 'soon')).code).toBe(2);
    expect((await ws('tokens', 'import-drf')).code).toBe(2);
  });

  it.each([
    ['token', 'revoke', 'a'.repeat(64), 'b'.repeat(64)],
    ['token', 'issue', 'ann', 'bob'],
    ['sessions', 'purge', 'mySessions'],
    ['indexes', 'ensure', 'mySessions'],
    ['tokens', 'import-drf', '--from', 'authtoken_token', 'more'],
  ])('refuses what it would pass over: %s %s %s …', async (...args) => {
    const { code, error } = await ws('--url', 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=1', ...args);
    expect(code).toBe(2);
    expect(error).toMatch(/too many arguments/);
  });

  it.each(['nonsense', 'http://127.0.0.1/chat', 'mongodb://', 'mongodb://127.0.0.1:port/chat', 'mongodb://ann:sec%ret@127.0.0.1/chat'])(
    'refuses the URL %s, and does not show it',
    async (url) => {
      const { code, error } = await ws('--url', url, 'token', 'list', 'ann');
      expect(code).toBe(2);
      expect(error).toMatch(/^error: The URL of the database cannot be read: /);
      expect(error).not.toContain('sec');
    },
  );

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
