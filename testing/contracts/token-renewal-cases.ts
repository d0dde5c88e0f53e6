import assert from 'node:assert/strict';
import type { ExtendOptions, RotateOptions, TokenIssuer } from '../../src/contracts/token-repository.js';
import { type TokenId, tokenIdOf } from '../../src/token-id.js';
import { assertRefuses, badTokenIds } from './bad-arguments.js';
import { fromNow, hourMs, uniqueKey } from './contract-samples.js';
import type { ContractCases } from './contract-test.js';
import { addSampleToken, assertAbout, assertAccepted, assertNotAccepted, endOf, given, type TokenIssuerFixture } from './token-fixtures.js';

const badSpans: readonly unknown[] = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, '1000', new Number(1000), null, { $ne: 0 }];

/** Cases that run where the issuer has the method, which they are given. */
function where<Method extends 'extend' | 'rotate'>(
  method: Method,
  cases: Readonly<Record<string, (fixture: TokenIssuerFixture, call: NonNullable<TokenIssuer[Method]>) => Promise<void>>>,
): ContractCases<TokenIssuerFixture> {
  const entries = Object.entries(cases).map(([name, check]) => {
    const checkIfThere = async (fixture: TokenIssuerFixture): Promise<void> => {
      const call = fixture.issuer[method]?.bind(fixture.issuer);
      if (call) await check(fixture, call as NonNullable<TokenIssuer[Method]>);
    };
    return [name, checkIfThere] as const;
  });
  return Object.fromEntries(entries);
}

/** The tokens that count no more: one of each kind that there is. */
async function deadTokens(fixture: TokenIssuerFixture): Promise<readonly TokenId[]> {
  const revoked = await fixture.issuer.issue(await fixture.addUser());
  await fixture.issuer.revoke(revoked.id);
  const expired = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(-hourMs) });
  return [revoked.id, expired.id, uniqueKey().id];
}

/** Cases of `extend`, for issuers that have it. */
export const extendingCases: ContractCases<TokenIssuerFixture> = where('extend', {
  async 'extend gives a token another ttlMs from now, and says when it ends'(fixture, extend) {
    const { id } = await fixture.issuer.issue(await fixture.addUser(), { ttlMs: hourMs });
    const end = await extend(id, { ttlMs: 10 * hourMs });
    assertAbout(end?.getTime(), 10 * hourMs);
    assert.equal(await endOf(fixture, id), end?.getTime());
  },
  async 'extend leaves the other tokens of the user as they are'(fixture, extend) {
    const userId = await fixture.addUser();
    const [first, second] = [await fixture.issuer.issue(userId, { ttlMs: hourMs }), await fixture.issuer.issue(userId, { ttlMs: hourMs })];
    await extend(first.id, { ttlMs: 10 * hourMs });
    assert.equal(await endOf(fixture, second.id), second.expiresAt?.getTime());
  },
  async 'extend never shortens a life, nor bounds one that has no end'(fixture, extend) {
    const userId = await fixture.addUser();
    const { id, expiresAt } = await fixture.issuer.issue(userId, { ttlMs: 10 * hourMs });
    for (const options of [{ ttlMs: 1 }, { ttlMs: 20 * hourMs, maxAgeMs: 1 }]) {
      assert.equal((await extend(id, options))?.getTime(), expiresAt?.getTime());
    }
    assert.equal(await endOf(fixture, id), expiresAt?.getTime());
    const endless = await fixture.issuer.issue(userId);
    assert.equal((await extend(endless.id, { ttlMs: hourMs, maxAgeMs: hourMs }))?.getTime(), 8.64e15);
    assert.equal(await endOf(fixture, endless.id), undefined);
  },
  async 'extend keeps to maxAgeMs, counted from when the token was issued'(fixture, extend) {
    const token = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(hourMs) });
    const latest = token.createdAt.getTime() + 5 * hourMs;
    assert.equal((await extend(token.id, { ttlMs: 10 * hourMs, maxAgeMs: 5 * hourMs }))?.getTime(), latest);
    assert.equal(await endOf(fixture, token.id), latest);
  },
  async 'of several extensions at once the longest holds'(fixture, extend) {
    const { id } = await fixture.issuer.issue(await fixture.addUser(), { ttlMs: hourMs });
    await Promise.all([2, 9, 4].map((hours) => extend(id, { ttlMs: hours * hourMs })));
    assertAbout(await endOf(fixture, id), 9 * hourMs);
  },
  async 'extend brings no token back: it is undefined for one that counts no more'(fixture, extend) {
    for (const id of await deadTokens(fixture)) {
      assert.equal(await extend(id, { ttlMs: hourMs }), undefined);
      assertNotAccepted(await fixture.tokens.findById(id));
    }
  },
  async 'extend refuses what is no id and options out of their range with a TypeError'(fixture, extend) {
    const { id, expiresAt } = await fixture.issuer.issue(await fixture.addUser(), { ttlMs: hourMs });
    await assertRefuses((each) => extend(each, { ttlMs: 2 * hourMs }), badTokenIds(id));
    const bad = [
      ...badSpans.map((ttlMs) => ({ ttlMs })),
      ...badSpans.map((maxAgeMs) => ({ ttlMs: hourMs, maxAgeMs: maxAgeMs === 8.64e15 ? 8.65e15 : maxAgeMs })),
      ...[{}, { ttlMs: 0 }, { ttlMs: hourMs, maxAgeMs: 0 }, null, undefined],
    ];
    for (const options of bad) await assert.rejects(extend(id, options as ExtendOptions), TypeError);
    assert.equal(await endOf(fixture, id), expiresAt?.getTime());
  },
});

/** Cases of `rotate`, for issuers that have it. */
export const rotatingCases: ContractCases<TokenIssuerFixture> = where('rotate', {
  async 'rotate keeps to maxAgeMs, counted from when the first of the chain was issued'(fixture, rotate) {
    const first = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(hourMs) });
    const latest = first.createdAt.getTime() + 5 * hourMs;
    const bounds = { graceMs: hourMs, ttlMs: 10 * hourMs, maxAgeMs: 5 * hourMs };
    const second = given(await rotate(first.id, bounds));
    assert.equal(second.expiresAt?.getTime(), latest);
    const third = given(await rotate(second.id, bounds));
    assert.equal(await endOf(fixture, third.id), latest);
    assert.equal(await rotate(third.id, { ...bounds, maxAgeMs: hourMs }), undefined);
    await assertAccepted(fixture, third.id);
  },
  async 'rotate gives a new key for the same user, and the old one works for its grace and names its successor'(fixture, rotate) {
    const userId = await fixture.addUser();
    const old = await fixture.issuer.issue(userId, { scopes: ['read'], label: 'phone', ttlMs: 10 * hourMs });
    const token = given(await rotate(old.id, { graceMs: hourMs }));
    assert.match(token.key, /^[0-9a-f]{40}$/);
    assert.equal(token.id, tokenIdOf(token.key));
    assert.notEqual(token.id, old.id);
    assert.equal(token.userId, userId);
    const grant = await fixture.tokens.findById(token.id);
    assert.equal(grant?.user?.id, userId);
    assert.deepEqual(grant?.scopes, ['read']);
    assert.equal(grant?.successorId, undefined);
    await assertAccepted(fixture, old.id);
    assert.equal((await fixture.tokens.findById(old.id))?.successorId, token.id);
    assertAbout(await endOf(fixture, old.id), hourMs);
    const info = (await fixture.issuer.listOf(userId)).find(({ id }) => id === token.id);
    assert.equal(info?.label, 'phone');
  },
  async 'a new token lives as long as the old one would have, or for ttlMs'(fixture, rotate) {
    const userId = await fixture.addUser();
    const old = await fixture.issuer.issue(userId, { ttlMs: 10 * hourMs });
    for (const token of [await rotate(old.id, { graceMs: hourMs }), await rotate(old.id, { graceMs: hourMs })]) {
      assert.equal(given(token).expiresAt?.getTime(), old.expiresAt?.getTime());
      assert.equal(await endOf(fixture, given(token).id), old.expiresAt?.getTime());
    }
    assertAbout(given(await rotate(old.id, { graceMs: hourMs, ttlMs: 20 * hourMs })).expiresAt?.getTime(), 20 * hourMs);
    const endless = await fixture.issuer.issue(userId);
    assert.equal(given(await rotate(endless.id, { graceMs: 0 })).expiresAt, undefined);
  },
  async 'no old key works longer by its grace than it would have, nor by being rotated or extended again'(fixture, rotate) {
    const userId = await fixture.addUser();
    const short = await fixture.issuer.issue(userId, { ttlMs: hourMs });
    await rotate(short.id, { graceMs: 10 * hourMs });
    assert.equal(await endOf(fixture, short.id), short.expiresAt?.getTime());
    const old = await fixture.issuer.issue(userId, { ttlMs: 20 * hourMs });
    await rotate(old.id, { graceMs: hourMs });
    const end = await endOf(fixture, old.id);
    await rotate(old.id, { graceMs: 10 * hourMs });
    if (fixture.issuer.extend) assert.equal((await fixture.issuer.extend(old.id, { ttlMs: 30 * hourMs }))?.getTime(), end);
    assert.equal(await endOf(fixture, old.id), end);
  },
  async 'of several rotations of one token each gives a key of its own that works'(fixture, rotate) {
    const { id } = await fixture.issuer.issue(await fixture.addUser());
    const rotated = await Promise.all(Array.from({ length: 4 }, () => rotate(id, { graceMs: hourMs })));
    assert.equal(new Set(rotated.map((token) => given(token).id)).size, 4);
    for (const token of rotated) await assertAccepted(fixture, given(token).id);
  },
  async 'a key used after its grace revokes all that it was rotated into, and looking it up with others does not'(fixture, rotate) {
    const userId = await fixture.addUser();
    const other = await fixture.issuer.issue(userId);
    const old = await fixture.issuer.issue(userId);
    const next = given(await rotate(old.id, { graceMs: 0 }));
    const last = given(await rotate(next.id, { graceMs: hourMs }));
    assert.ok(fixture.tokens.findByIds, 'whoever rotates tokens needs findByIds: to look live channels up is no use of a key');
    await fixture.tokens.findByIds([old.id, next.id, last.id]);
    await assertAccepted(fixture, last.id);
    assertNotAccepted(await fixture.tokens.findById(old.id));
    for (const { id } of [old, next, last]) assertNotAccepted(await fixture.tokens.findById(id));
    await assertAccepted(fixture, other.id);
    assert.deepEqual(
      (await fixture.issuer.listOf(userId)).map(({ id }) => id),
      [other.id],
    );
  },
  async 'to revoke one of the tokens that were rotated into one another is to revoke them all'(fixture, rotate) {
    for (const which of [0, 1, 2]) {
      const first = await fixture.issuer.issue(await fixture.addUser());
      const second = given(await rotate(first.id, { graceMs: hourMs }));
      const chain = [first, second, given(await rotate(second.id, { graceMs: hourMs }))];
      assert.equal(await fixture.issuer.revoke(chain[which]!.id), true);
      for (const { id } of chain) assertNotAccepted(await fixture.tokens.findById(id));
      assert.equal(await fixture.issuer.revoke(chain[which]!.id), false);
    }
  },
  async 'no successor is left where all is revoked while a token is rotated'(fixture, rotate) {
    const userId = await fixture.addUser();
    for (let round = 0; round < 5; round += 1) {
      const { id } = await fixture.issuer.issue(userId);
      await Promise.all([rotate(id, { graceMs: hourMs }), fixture.issuer.revokeAllOf(userId), rotate(id, { graceMs: hourMs })]);
      assert.deepEqual(await fixture.issuer.listOf(userId), []);
    }
  },
  async 'extend keeps a rotated token to maxAgeMs, counted from when the first of its chain was issued'(fixture, rotate) {
    const first = await addSampleToken(fixture, { createdAt: fromNow(-2 * hourMs), expiresAt: fromNow(hourMs) });
    const second = given(await rotate(first.id, { graceMs: hourMs }));
    const { id } = given(await rotate(second.id, { graceMs: hourMs }));
    if (!fixture.issuer.extend) return;
    const end = await fixture.issuer.extend(id, { ttlMs: 10 * hourMs, maxAgeMs: 5 * hourMs });
    assert.equal(end?.getTime(), first.createdAt.getTime() + 5 * hourMs);
  },
  async 'rotate is undefined for a token that counts no more, and makes none'(fixture, rotate) {
    for (const id of await deadTokens(fixture)) assert.equal(await rotate(id, { graceMs: hourMs }), undefined);
    const userId = await fixture.addUser();
    const old = await fixture.issuer.issue(userId);
    await fixture.issuer.revoke(old.id);
    assert.equal(await rotate(old.id, { graceMs: hourMs }), undefined);
    assert.deepEqual(await fixture.issuer.listOf(userId), []);
  },
  async 'rotate refuses what is no id and options out of their range with a TypeError, and makes no token'(fixture, rotate) {
    const userId = await fixture.addUser();
    const { id } = await fixture.issuer.issue(userId);
    await assertRefuses((each) => rotate(each, { graceMs: hourMs }), badTokenIds(id));
    const bad = [
      ...badSpans.map((graceMs) => ({ graceMs })),
      ...badSpans.map((ttlMs) => ({ graceMs: 0, ttlMs })),
      ...[0, -1, 1.5, '1000', null].map((maxAgeMs) => ({ graceMs: 0, maxAgeMs })),
      {},
      { graceMs: 0, ttlMs: 0 },
      null,
    ];
    for (const options of bad) await assert.rejects(rotate(id, options as RotateOptions), TypeError);
    assert.equal((await fixture.issuer.listOf(userId)).length, 1);
    assert.equal((await fixture.tokens.findById(id))?.successorId, undefined);
  },
});

/** What an issuer tells of itself, for repositories that have `revocations`. */
export const tellingCases: ContractCases<TokenIssuerFixture> = {
  async 'by the time that tokens are revoked, revocations, where there are any, has told of each of them'({ tokens, issuer, ...fixture }) {
    if (!tokens.revocations) return;
    const told = new Set<TokenId>();
    const subscription = await tokens.revocations.subscribe(
      (revocation) => {
        if ('tokenId' in revocation && !revocation.hint) told.add(revocation.tokenId);
      },
      () => undefined,
    );
    const userId = await fixture.addUser();
    const [one, two, three] = [await issuer.issue(userId), await issuer.issue(userId), await issuer.issue(userId)];
    await issuer.revoke(one.id);
    assert.deepEqual([...told], [one.id]);
    await issuer.revokeAllOf(userId);
    assert.deepEqual(new Set(told), new Set([one.id, two.id, three.id]));
    await subscription[Symbol.asyncDispose]();
  },
  ...where('rotate', {
    async 'revocations, where there are any, hints at a token that is rotated, and tells of those that a replay revokes'(fixture, rotate) {
      const { tokens, issuer } = fixture;
      if (!tokens.revocations) return;
      const told: string[] = [];
      const hinted: string[] = [];
      const subscription = await tokens.revocations.subscribe(
        (revocation) => void ('tokenId' in revocation && (revocation.hint ? hinted : told).push(revocation.tokenId)),
        () => undefined,
      );
      const old = await issuer.issue(await fixture.addUser());
      const { id } = given(await rotate(old.id, { graceMs: 0 }));
      assert.ok(hinted.includes(old.id), 'a rotated token must be hinted at');
      assert.ok(!told.includes(id), 'the successor lives on');
      await tokens.findById(old.id);
      assert.ok(told.includes(id), 'the successor must be told of');
      await subscription[Symbol.asyncDispose]();
    },
    async 'revokeAllOf tells of rotated tokens whose grace is over, too, and does not count them'({ tokens, issuer, ...fixture }, rotate) {
      if (!tokens.revocations) return;
      const told: string[] = [];
      const subscription = await tokens.revocations.subscribe(
        (revocation) => void ('tokenId' in revocation && !revocation.hint && told.push(revocation.tokenId)),
        () => undefined,
      );
      const userId = await fixture.addUser();
      const old = await issuer.issue(userId);
      const { id } = given(await rotate(old.id, { graceMs: 0 }));
      assert.equal(await issuer.revokeAllOf(userId), 1);
      for (const each of [old.id, id]) assert.ok(told.includes(each), 'channels may live by either of them');
      await subscription[Symbol.asyncDispose]();
    },
  }),
};
