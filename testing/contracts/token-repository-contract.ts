import assert from 'node:assert/strict';
import { type TokenId, tokenIdOf } from '../../src/token-id.js';
import { assertRefuses, badLists, badTokenIds } from './bad-arguments.js';
import {
  assertNothingPolluted,
  assertSameTime,
  fromNow,
  hourMs,
  inheritedNames,
  tryToChange,
  uniqueId,
  uniqueKey,
} from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { addSampleToken, assertGrants, assertNotAccepted, type TokenRepositoryFixture } from './token-fixtures.js';

/** The tests of the contract {@link TokenRepository}. */
export function tokenRepositoryContract(options: ContractOptions<TokenRepositoryFixture>): readonly ContractTest[] {
  return contractTests(options, cases);
}

const cases: ContractCases<TokenRepositoryFixture> = {
  async 'findById gives the user of a known token'(fixture) {
    const token = await addSampleToken(fixture);
    const grant = await fixture.tokens.findById(token.id);
    assertGrants(grant, token);
    assert.equal(grant?.expiresAt, undefined);
    assert.equal(grant?.revokedAt, undefined);
  },
  async 'findById gives undefined for an unknown token'({ tokens }) {
    assert.equal(await tokens.findById(uniqueKey().id), undefined);
  },
  async 'a key is no id: it is a TypeError, and one of the shape of an id finds nothing'(fixture) {
    const { key } = await addSampleToken(fixture);
    await assertRefuses((id) => fixture.tokens.findById(id), [key]);
    const long = uniqueId();
    await addSampleToken(fixture, { key: long, id: tokenIdOf(long) });
    assert.equal(await fixture.tokens.findById(long as TokenId), undefined);
  },
  async 'what is no id is a TypeError in every method'(fixture) {
    const { id } = await addSampleToken(fixture);
    const bad = [...badTokenIds(id), ...inheritedNames];
    await assertRefuses((each) => fixture.tokens.findById(each), bad);
    const { tokens } = fixture;
    if (tokens.findByIds) await assertRefuses((each) => tokens.findByIds?.(each), badLists(id, bad));
    assertNothingPolluted();
  },
  async 'the grant of a token that will expire says when, as a date'(fixture) {
    const expiresAt = fromNow(hourMs);
    const token = await addSampleToken(fixture, { expiresAt });
    const grant = await fixture.tokens.findById(token.id);
    assertGrants(grant, token);
    assertSameTime(grant?.expiresAt, expiresAt, 'expiresAt');
  },
  async 'an expired token is absent, or says when it expired'(fixture) {
    const { id } = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(-hourMs) });
    assertNotAccepted(await fixture.tokens.findById(id));
  },
  async 'a revoked token is absent, or says when it was revoked'(fixture) {
    const { id } = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), revokedAt: fromNow(-hourMs) });
    assertNotAccepted(await fixture.tokens.findById(id));
  },
  async 'the grant holds the scopes of the token'(fixture) {
    const { id } = await addSampleToken(fixture, { scopes: ['read', 'chat:write'] });
    assert.deepEqual((await fixture.tokens.findById(id))?.scopes, ['read', 'chat:write']);
  },
  async 'a token whose user was deleted or disabled gives no user'(fixture) {
    const token = await addSampleToken(fixture);
    assertGrants(await fixture.tokens.findById(token.id), token);
    await fixture.removeUser(token.userId);
    const grant = await fixture.tokens.findById(token.id);
    assert.equal(grant?.user, undefined);
  },
  async 'tokens of one user are found side by side'(fixture) {
    const first = await addSampleToken(fixture);
    const second = await addSampleToken(fixture, { userId: first.userId });
    assertGrants(await fixture.tokens.findById(first.id), first);
    assertGrants(await fixture.tokens.findById(second.id), second);
  },
  async 'of many look-ups at once each gets its own user'(fixture) {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => addSampleToken(fixture)));
    const lookups = tokens.map(({ id }) => Promise.all([fixture.tokens.findById(id), fixture.tokens.findById(uniqueKey().id)]));
    for (const [index, [known, unknown]] of (await Promise.all(lookups)).entries()) {
      assertGrants(known, tokens[index]!);
      assert.equal(unknown, undefined);
    }
  },
  async 'changing a grant does not change the token'(fixture) {
    const expiresAt = fromNow(hourMs);
    const { id } = await addSampleToken(fixture, { expiresAt, scopes: ['read'] });
    const grant = await fixture.tokens.findById(id);
    assert.ok(grant, 'the token must be found');
    grant.expiresAt?.setTime(0);
    tryToChange(() => (grant.scopes as string[]).push('admin'));
    const again = await fixture.tokens.findById(id);
    assertSameTime(again?.expiresAt, expiresAt, 'expiresAt');
    assert.deepEqual(again?.scopes, ['read']);
  },
  'findByIds, where there is one, gives what findById gives and leaves unknown ids out': checkFindByIds,
};

async function checkFindByIds(fixture: TokenRepositoryFixture): Promise<void> {
  const { tokens } = fixture;
  if (!tokens.findByIds) return;
  const first = await addSampleToken(fixture);
  const second = await addSampleToken(fixture, { userId: first.userId, scopes: ['read'], expiresAt: fromNow(hourMs) });
  const expired = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(-hourMs) });
  const revoked = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), revokedAt: fromNow(-hourMs) });
  const orphan = await addSampleToken(fixture);
  await fixture.removeUser(orphan.userId);
  const unknown = uniqueKey().id;

  const found = await tokens.findByIds([first.id, unknown, second.id, expired.id, revoked.id, orphan.id, first.id]);
  assertGrants(found.get(first.id), first);
  assertGrants(found.get(second.id), second);
  assert.deepEqual(found.get(second.id)?.scopes, ['read']);
  assertSameTime(found.get(second.id)?.expiresAt, second.expiresAt!, 'expiresAt');
  assertNotAccepted(found.get(expired.id));
  assertNotAccepted(found.get(revoked.id));
  assert.equal(found.get(orphan.id)?.user, undefined);
  assert.equal(found.has(unknown), false, 'an unknown id must be left out');
  assert.equal((await tokens.findByIds([])).size, 0);
}
