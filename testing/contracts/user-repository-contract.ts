import assert from 'node:assert/strict';
import type { UserRepository } from '../../src/contracts/user-repository.js';
import type { AuthenticatedUser } from '../../src/users.js';
import { assertRefuses, badIds, badLists } from './bad-arguments.js';
import { assertNothingPolluted, inheritedNames, uniqueId } from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';

/** What `userRepositoryContract` needs: the repository, and a way to put users where it finds them. */
export interface UserRepositoryFixture {
  readonly users: UserRepository<AuthenticatedUser>;
  /** Adds a new user and gives its id. */
  readonly addUser: () => string | Promise<string>;
  /** Deletes (or disables) a user that `addUser` added. */
  readonly removeUser: (id: string) => void | Promise<void>;
}

/** The tests of the contract {@link UserRepository}. */
export function userRepositoryContract(options: ContractOptions<UserRepositoryFixture>): readonly ContractTest[] {
  return contractTests(options, cases);
}

const cases: ContractCases<UserRepositoryFixture> = {
  async 'findById gives a known user, authenticated'({ users, addUser }) {
    const id = await addUser();
    assertIsUser(await users.findById(id), id);
  },
  async 'findById gives undefined for an unknown user'({ users }) {
    for (const id of [uniqueId(), '$ne']) assert.equal(await users.findById(id), undefined);
  },
  async 'ids are told apart to the first and the last character'({ users, addUser }) {
    const id = await addUser();
    const others = [`${id} `, ` ${id}`, `${id}x`, `x${id}`, `${id}${uniqueId()}`, '*', '%', '.*'];
    for (const other of others) assert.equal(await users.findById(other), undefined);
    if (users.findByIds) assert.deepEqual([...(await users.findByIds([...others, id])).keys()], [id]);
  },
  async 'findById gives undefined for a user that was deleted or disabled'({ users, addUser, removeUser }) {
    const id = await addUser();
    assertIsUser(await users.findById(id), id);
    await removeUser(id);
    assert.equal(await users.findById(id), undefined);
  },
  async 'nothing is found under names that every object has'({ users }) {
    for (const name of inheritedNames) assert.equal(await users.findById(name), undefined);
    if (users.findByIds) assert.equal((await users.findByIds(inheritedNames)).size, 0);
    assertNothingPolluted();
  },
  async 'what is no id is a TypeError in every method'({ users, addUser }) {
    const id = await addUser();
    await assertRefuses((each) => users.findById(each), badIds(id));
    if (users.findByIds) await assertRefuses((each) => users.findByIds?.(each), badLists(id, badIds(id)));
  },
  async 'of many look-ups at once each gets its own user'({ users, addUser }) {
    const ids = await Promise.all(Array.from({ length: 50 }, async () => addUser()));
    const found = await Promise.all(ids.map((id) => users.findById(id)));
    for (const [index, user] of found.entries()) assertIsUser(user, ids[index]!);
  },
  async 'findByIds, where there is one, gives what findById gives and leaves the others out'({ users, addUser, removeUser }) {
    if (!users.findByIds) return;
    const [first, second, removed, unknown] = [await addUser(), await addUser(), await addUser(), uniqueId()];
    await removeUser(removed);
    const found = await users.findByIds([first, unknown, second, removed, first]);
    assertIsUser(found.get(first), first);
    assertIsUser(found.get(second), second);
    assert.equal(found.size, 2);
    assert.equal((await users.findByIds([])).size, 0);
  },
};

function assertIsUser(user: AuthenticatedUser | undefined, id: string): void {
  assert.ok(user, 'the user must be found');
  assert.equal(user.id, id);
  assert.equal(user.isAuthenticated, true);
}
