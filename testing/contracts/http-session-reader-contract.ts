import assert from 'node:assert/strict';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { assertRefuses, badIds, badLists } from './bad-arguments.js';
import { assertCannotTell } from './cannot-tell.js';
import { assertNothingPolluted, assertSameJson, inheritedNames, uniqueId } from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { partsOf, requestWith } from './request-with-cookie.js';

/** A session of the web site that a suite wanted to be there. */
export interface SampleHttpSession {
  /** The cookie that finds it, as a browser sends it: `name=value`. */
  readonly cookie: string;
  /** The id under which `readById` finds it; `undefined` if the site does not tell it. */
  readonly id: string | undefined;
}

/** How the store behind a reader is made to fail, for tests of how the reader then behaves. Leave out what you cannot do. */
export interface HttpSessionStoreFailures {
  /** From now on the store fails whatever it is asked. */
  readonly down?: (() => unknown) | undefined;
  /** From now on the store answers nothing. For a reader that gives up by itself (`timeoutMs`), or is told to by `giveUp`. */
  readonly hang?: (() => unknown) | undefined;
  /** Lets the time pass after which the reader gives up. @default it is waited for */
  readonly giveUp?: (() => unknown) | undefined;
  /** Answers at last what `hang` left unanswered, and from now on everything. */
  readonly answer?: (() => unknown) | undefined;
}

/** What `httpSessionReaderContract` needs: the reader, and a way to make and end sessions of the web site. */
export interface HttpSessionReaderFixture {
  readonly sessions: HttpSessionReader;
  /** Makes a session of this user (of nobody if that is `undefined`) that also holds `data`. */
  readonly createSession: (
    userId: string | undefined,
    data: Readonly<Record<string, unknown>>,
  ) => SampleHttpSession | Promise<SampleHttpSession>;
  /** Ends a session, as when its user logs out. */
  readonly destroySession: (session: SampleHttpSession) => unknown;
  /** Makes the store behind the reader fail. @default failing stores are not tested */
  readonly failures?: HttpSessionStoreFailures | undefined;
}

/** The tests of the contract {@link HttpSessionReader}. */
export function httpSessionReaderContract(options: ContractOptions<HttpSessionReaderFixture>): readonly ContractTest[] {
  return contractTests(options, findingCases, savingCases, failingCases);
}

const findingCases: ContractCases<HttpSessionReaderFixture> = {
  async 'read finds the session that the cookie names'({ sessions, createSession }) {
    const created = await createSession('ada', { theme: 'dark' });
    const session = await sessions.read(requestWith(created.cookie));
    assertIsSession(session, created.id, 'ada');
    assertSameJson(session?.data.theme, 'dark');
  },
  async 'read finds it between other cookies, and with a trailing semicolon'({ sessions, createSession }) {
    const { cookie, id } = await createSession('ada', {});
    assertIsSession(await sessions.read(requestWith(`theme=dark; ${cookie}; flag; =; lang=en`)), id, 'ada');
    assertIsSession(await sessions.read(requestWith(`${cookie};`)), id, 'ada');
  },
  async 'read gives undefined where no cookie of this exact name is there'({ sessions, createSession }) {
    const { cookie } = await createSession('ada', {});
    const [name, value] = partsOf(cookie);
    const others = [undefined, '', ';', 'theme=dark', `x${cookie}`, `${name}x=${value}`, `other=${cookie}`, name, value];
    for (const other of [name.toUpperCase(), name.toLowerCase()]) if (other !== name) others.push(`${other}=${value}`);
    for (const header of others) assert.equal(await sessions.read(requestWith(header)), undefined);
  },
  async 'read gives undefined for a cookie that names no session'({ sessions, createSession }) {
    const [name, value] = partsOf((await createSession('ada', {})).cookie);
    const others = ['', uniqueId(), value.slice(0, -1), `${value}0`, '%E0%A4%A', '%00', '../../etc/passwd', ...inheritedNames];
    for (const other of others) assert.equal(await sessions.read(requestWith(`${name}=${other}`)), undefined);
  },
  async 'cookies called __proto__ or constructor change no object'({ sessions }) {
    const header = inheritedNames.map((name) => `${name}=admin`).join('; ');
    assert.equal(await sessions.read(requestWith(header)), undefined);
    assertNothingPolluted();
  },
  async 'a session that nobody has logged in to has no user'({ sessions, createSession }) {
    const { cookie, id } = await createSession(undefined, { theme: 'dark' });
    assertIsSession(await sessions.read(requestWith(cookie)), id, undefined);
  },
  async 'of many reads at once each gets its own session'({ sessions, createSession }) {
    const created = await Promise.all(Array.from({ length: 12 }, async (_, index) => createSession(`user-${index}`, {})));
    const found = await Promise.all(created.map(({ cookie }) => sessions.read(requestWith(cookie))));
    for (const [index, session] of found.entries()) assertIsSession(session, created[index]!.id, `user-${index}`);
  },
  async 'a user may have several sessions, and one ends without the others'({ sessions, createSession, destroySession }) {
    const [first, second, third] = [await createSession('ada', {}), await createSession('ada', {}), await createSession('ada', {})];
    await destroySession(second);
    for (const { cookie, id } of [first, third]) assertIsSession(await sessions.read(requestWith(cookie)), id, 'ada');
  },
  async 'a session that has ended is gone for read and readById'({ sessions, createSession, destroySession }) {
    const created = await createSession('ada', {});
    const { cookie, id } = created;
    assertIsSession(await sessions.read(requestWith(cookie)), id, 'ada');
    if (id !== undefined) assertIsSession(await sessions.readById(id), id, 'ada');
    await destroySession(created);
    assert.equal(await sessions.read(requestWith(cookie)), undefined);
    if (id !== undefined) assert.equal(await sessions.readById(id), undefined);
  },
  async 'readById finds the same session, where its id is known'({ sessions, createSession }) {
    const { id } = await createSession('ada', { theme: 'dark' });
    if (id === undefined) return;
    const session = await sessions.readById(id);
    assertIsSession(session, id, 'ada');
    assertSameJson(session?.data.theme, 'dark');
  },
  async 'readById gives undefined for an unknown id'({ sessions }) {
    for (const id of [uniqueId(), ...inheritedNames]) assert.equal(await sessions.readById(id), undefined);
  },
  async 'what is no id is a TypeError in readById and readByIds, where ids are known'({ sessions, createSession }) {
    const { id } = await createSession('ada', {});
    if (id === undefined) return;
    await assertRefuses((each) => sessions.readById(each), badIds(id));
    if (sessions.readByIds) await assertRefuses((each) => sessions.readByIds?.(each), badLists(id, badIds(id)));
  },
  async 'readByIds, where there is one, gives what readById gives and leaves the others out'({ sessions, createSession, destroySession }) {
    if (!sessions.readByIds) return;
    const [first, second, ended] = [await createSession('ada', {}), await createSession('bob', {}), await createSession('eve', {})];
    if (first.id === undefined || second.id === undefined || ended.id === undefined) return;
    await destroySession(ended);
    const found = await sessions.readByIds([first.id, uniqueId(), second.id, ended.id, first.id]);
    assertIsSession(found.get(first.id), first.id, 'ada');
    assertIsSession(found.get(second.id), second.id, 'bob');
    assert.equal(found.size, 2);
    assert.equal((await sessions.readByIds([])).size, 0);
  },
};

const savingCases: ContractCases<HttpSessionReaderFixture> = {
  async 'what save wrote is read again'({ sessions, createSession }) {
    const { cookie } = await createSession('ada', { theme: 'dark', list: ['a'] });
    const session = await sessions.read(requestWith(cookie));
    assert.ok(session, 'the session must be found');
    session.data.theme = 'light';
    (session.data.list as string[]).push('b');
    session.data.extra = { deep: [1, null, 'é'] };
    if (!(await isSaved(session))) return;
    const again = await sessions.read(requestWith(cookie));
    assert.equal(again?.userId, 'ada');
    assertSameJson(again?.data.theme, 'light');
    assertSameJson(again?.data.list, ['a', 'b']);
    assertSameJson(again?.data.extra, { deep: [1, null, 'é'] });
  },
  async 'a change that is not saved is not seen by others'({ sessions, createSession }) {
    const { cookie } = await createSession('ada', { list: ['a'] });
    const session = await sessions.read(requestWith(cookie));
    assert.ok(session, 'the session must be found');
    session.data.theme = 'light';
    (session.data.list as string[]).push('b');
    const again = await sessions.read(requestWith(cookie));
    assert.equal(again?.data.theme, undefined);
    assertSameJson(again?.data.list, ['a']);
  },
  async 'a change after save is not seen by others'({ sessions, createSession }) {
    const { cookie } = await createSession('ada', { list: ['a'] });
    const session = await sessions.read(requestWith(cookie));
    assert.ok(session, 'the session must be found');
    await isSaved(session);
    (session.data.list as string[]).push('b');
    assertSameJson((await sessions.read(requestWith(cookie)))?.data.list, ['a']);
  },
  async 'save rejects where the session has ended, and does not bring it back to life'({ sessions, createSession, destroySession }) {
    const created = await createSession('ada', {});
    const session = await sessions.read(requestWith(created.cookie));
    assert.ok(session, 'the session must be found');
    session.data.theme = 'light';
    await destroySession(created);
    await assert.rejects(session.save());
    assert.equal(await sessions.read(requestWith(created.cookie)), undefined);
  },
};

const failingCases: ContractCases<HttpSessionReaderFixture> = {
  async 'a store that is down means "cannot tell": nothing is read, and nothing said to be gone'(fixture) {
    const { failures } = fixture;
    if (failures?.down === undefined) return;
    const attempts = await attemptsOf(fixture);
    await failures.down();
    await assertCannotTell(attempts.map((attempt) => attempt()));
  },
  async 'a store that hangs means "cannot tell", once the reader has given up'(fixture) {
    const { failures } = fixture;
    if (failures?.hang === undefined) return;
    const attempts = await attemptsOf(fixture);
    await failures.hang();
    await assertCannotTell(
      attempts.map((attempt) => attempt()),
      failures.giveUp,
    );
  },
  async 'an answer that comes after the reader has given up changes nothing, and the next one counts'(fixture) {
    const { failures, sessions, createSession } = fixture;
    if (failures?.hang === undefined || failures.answer === undefined) return;
    const { cookie, id } = await createSession('ada', {});
    const request = requestWith(cookie);
    await sessions.read(requestWith(cookie));
    await failures.hang();
    await assertCannotTell([sessions.read(request)], failures.giveUp);
    await failures.answer();
    assertIsSession(await sessions.read(requestWith(cookie)), id, 'ada');
  },
};

/** All ways to ask for a session that is there, and to save it. */
async function attemptsOf({ sessions, createSession }: HttpSessionReaderFixture): Promise<(() => Promise<unknown>)[]> {
  const { cookie, id } = await createSession('ada', {});
  const session = await sessions.read(requestWith(cookie));
  assert.ok(session, 'the session must be found');
  session.data.theme = 'light';
  const attempts: (() => Promise<unknown>)[] = [() => sessions.read(requestWith(cookie)), () => session.save()];
  if (id === undefined) return attempts;
  attempts.push(() => sessions.readById(id));
  const { readByIds } = sessions;
  if (readByIds !== undefined) attempts.push(() => readByIds.call(sessions, [id]));
  return attempts;
}

/** Whether `session` was saved: one that can only be read says so, and nothing else. */
async function isSaved(session: HttpSession): Promise<boolean> {
  try {
    await session.save();
    return true;
  } catch (error) {
    if (Reflect.get(Object(error), 'code') === 'ERR_HTTP_SESSION_READ_ONLY') return false;
    throw error;
  }
}

function assertIsSession(session: HttpSession | undefined, id: string | undefined, userId: string | undefined): void {
  assert.ok(session, 'the session must be found');
  assert.equal(session.id, id);
  assert.equal(session.userId, userId);
}
