import assert from 'node:assert/strict';
import type { IssueOptions } from '../../src/contracts/token-repository.js';
import { tokenIdOf } from '../../src/token-id.js';
import { assertRefuses, badIds, badTokenIds } from './bad-arguments.js';
import { assertRejects, fromNow, hourMs, inheritedNames, uniqueId, uniqueKey } from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { addSampleToken, assertNotAccepted, type TokenIssuerFixture } from './token-fixtures.js';
import { extendingCases, rotatingCases, tellingCases } from './token-renewal-cases.js';

/** The tests of the contract {@link TokenIssuer}. */
export function tokenIssuerContract(options: ContractOptions<TokenIssuerFixture>): readonly ContractTest[] {
  return contractTests(options, issuingCases, revokingCases, listingCases, extendingCases, rotatingCases, tellingCases);
}

/** Options that no issuer may take. */
const badOptions = [
  { ttlMs: 0 },
  { ttlMs: -1 },
  { ttlMs: 1.5 },
  { ttlMs: Number.NaN },
  { ttlMs: Number.POSITIVE_INFINITY },
  { ttlMs: '1000' },
  { label: 7 },
  { ttlMs: 8.64e15 },
  { ttlMs: new Number(1000) },
  { label: { $ne: null } },
  { label: ['phone'] },
  { label: new String('phone') },
  { label: null },
  { scopes: 'read' },
  { scopes: [7] },
  { scopes: ['read', { $ne: null }] },
  { scopes: ['read', undefined] },
  { scopes: { $in: ['read'] } },
  { scopes: new Set(['read']) },
  { scopes: null },
  null,
] as unknown as readonly IssueOptions[];

const issuingCases: ContractCases<TokenIssuerFixture> = {
  async 'issue gives a key of 40 hexadecimal digits, its id and its user'(fixture) {
    const userId = await fixture.addUser();
    const token = await fixture.issuer.issue(userId);
    assert.match(token.key, /^[0-9a-f]{40}$/);
    assert.equal(token.id, tokenIdOf(token.key));
    assert.equal(token.userId, userId);
    assert.equal(token.expiresAt, undefined);
  },
  async 'the repository finds the user of an issued token'(fixture) {
    const userId = await fixture.addUser();
    const { id } = await fixture.issuer.issue(userId, { scopes: ['read'] });
    const grant = await fixture.tokens.findById(id);
    assert.equal(grant?.user?.id, userId);
    assert.deepEqual(grant?.scopes, ['read']);
  },
  async 'no two keys are the same'(fixture) {
    const userId = await fixture.addUser();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => fixture.issuer.issue(userId)));
    assert.equal(new Set(tokens.map(({ key }) => key)).size, 20);
  },
  async 'ttlMs sets the time at which the token expires'(fixture) {
    const before = Date.now();
    const { id, expiresAt } = await fixture.issuer.issue(await fixture.addUser(), { ttlMs: 10 * hourMs });
    assert.ok(expiresAt instanceof Date, 'expiresAt must be a Date');
    // the repository's clock may be another machine's
    assert.ok(Math.abs(expiresAt.getTime() - before - 10 * hourMs) < hourMs, 'expiresAt must be ttlMs from now');
    assert.equal((await fixture.tokens.findById(id))?.expiresAt?.getTime(), expiresAt.getTime());
  },
  async 'issue refuses options out of their range with a TypeError'(fixture) {
    const userId = await fixture.addUser();
    for (const options of badOptions) await assert.rejects(fixture.issuer.issue(userId, options), TypeError);
    assert.deepEqual(await fixture.issuer.listOf(userId), []);
  },
  async 'issue for a user who does not exist is a TypeError with ERR_USER_UNKNOWN, and makes no token'({ issuer }) {
    for (const nobody of [uniqueId(), ...inheritedNames]) {
      await assert.rejects(issuer.issue(nobody), TypeError);
      await assertRejects(issuer.issue(nobody), 'ERR_USER_UNKNOWN');
      assert.deepEqual(await issuer.listOf(nobody), []);
    }
  },
  async 'what is no id is a TypeError in every method, and revokes nothing'({ issuer, ...fixture }) {
    const userId = await fixture.addUser();
    const { id } = await issuer.issue(userId);
    await assertRefuses((each) => issuer.revoke(each), [...badTokenIds(id), ...inheritedNames]);
    for (const method of ['issue', 'revokeAllOf', 'listOf'] as const) await assertRefuses((each) => issuer[method](each), badIds(userId));
    assert.deepEqual(
      (await issuer.listOf(userId)).map((info) => info.id),
      [id],
    );
  },
};

const revokingCases: ContractCases<TokenIssuerFixture> = {
  async 'a revoked token is absent, or says when it was revoked'(fixture) {
    const { id } = await fixture.issuer.issue(await fixture.addUser());
    assert.equal(await fixture.issuer.revoke(id), true);
    assertNotAccepted(await fixture.tokens.findById(id));
  },
  async 'revoke is false for an unknown token and for one that is revoked already'(fixture) {
    const { id } = await fixture.issuer.issue(await fixture.addUser());
    assert.equal(await fixture.issuer.revoke(uniqueKey().id), false);
    assert.equal(await fixture.issuer.revoke(id), true);
    assert.equal(await fixture.issuer.revoke(id), false);
  },
  async 'of several revocations of one token at once exactly one did it'(fixture) {
    const { id } = await fixture.issuer.issue(await fixture.addUser());
    const results = await Promise.all(Array.from({ length: 5 }, () => fixture.issuer.revoke(id)));
    assert.deepEqual(results.filter(Boolean), [true]);
  },
  async 'revokeAllOf revokes the tokens of one user and counts them'(fixture) {
    const [userId, otherId] = [await fixture.addUser(), await fixture.addUser()];
    const tokens = [await fixture.issuer.issue(userId), await fixture.issuer.issue(userId), await fixture.issuer.issue(userId)];
    const other = await fixture.issuer.issue(otherId);
    await fixture.issuer.revoke(tokens[0]!.id);
    assert.equal(await fixture.issuer.revokeAllOf(userId), 2);
    assert.equal(await fixture.issuer.revokeAllOf(userId), 0);
    for (const { id } of tokens) assertNotAccepted(await fixture.tokens.findById(id));
    const grant = await fixture.tokens.findById(other.id);
    assert.equal(grant?.user?.id, otherId);
    assert.equal(grant?.revokedAt, undefined);
  },
  async 'the tokens of one user are not those of another whose id looks alike'({ issuer, addUser }) {
    const userId = await addUser();
    const { id } = await issuer.issue(userId);
    const alike = [userId.slice(0, -1), userId.slice(1), `${userId} `, ` ${userId}`, `${userId}x`, '%', '*', '.*'].filter(
      (each) => each !== '',
    );
    for (const other of alike) {
      assert.ok(!(await issuer.listOf(other)).some((token) => token.id === id), 'it must be listed for its own user alone');
      await issuer.revokeAllOf(other);
    }
    assert.deepEqual(
      (await issuer.listOf(userId)).map((token) => token.id),
      [id],
    );
  },
  async 'revokeAllOf is 0 for a user without tokens'({ issuer }) {
    for (const name of [...inheritedNames, uniqueKey().id]) assert.equal(await issuer.revokeAllOf(name), 0);
  },
};

const listingCases: ContractCases<TokenIssuerFixture> = {
  async 'listOf describes the tokens of one user and does not show their keys'(fixture) {
    const userId = await fixture.addUser();
    const token = await fixture.issuer.issue(userId, { label: 'phone', scopes: ['read'], ttlMs: hourMs });
    await fixture.issuer.issue(await fixture.addUser());
    const list = await fixture.issuer.listOf(userId);
    assert.equal(list.length, 1);
    const [info] = list;
    assert.equal(info?.id, token.id);
    assert.equal(info?.userId, userId);
    assert.equal(info?.label, 'phone');
    assert.deepEqual(info?.scopes, ['read']);
    assert.ok(info?.createdAt instanceof Date, 'createdAt must be a Date');
    assert.equal(info?.expiresAt?.getTime(), token.expiresAt?.getTime());
    assert.ok(!JSON.stringify(list).includes(token.key), 'a key must not be shown');
  },
  async 'listOf gives the oldest token first'(fixture) {
    const userId = await fixture.addUser();
    const ids: string[] = [];
    for (const age of [2, 3, 1]) ids.push((await addSampleToken(fixture, { userId, createdAt: fromNow(-age * hourMs) })).id);
    const list = await fixture.issuer.listOf(userId);
    assert.deepEqual(
      list.map(({ id }) => id),
      [ids[1], ids[0], ids[2]],
    );
  },
  async 'listOf leaves expired and revoked tokens out'(fixture) {
    const userId = await fixture.addUser();
    const live = await fixture.issuer.issue(userId);
    const revoked = await fixture.issuer.issue(userId);
    await fixture.issuer.revoke(revoked.id);
    await addSampleToken(fixture, { userId, createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(-hourMs) });
    await addSampleToken(fixture, { userId, createdAt: fromNow(-2 * hourMs), revokedAt: fromNow(-hourMs) });
    assert.deepEqual(
      (await fixture.issuer.listOf(userId)).map(({ id }) => id),
      [live.id],
    );
  },
  async 'listOf is empty for a user without tokens'({ issuer }) {
    for (const name of [...inheritedNames, uniqueKey().id]) assert.deepEqual(await issuer.listOf(name), []);
  },
};
