import assert from 'node:assert/strict';
import type { Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { nothing } from '../../src/maybe-promise.js';
import type { TokenId } from '../../src/token-id.js';
import { assertRefuses, badIds, badTokenIds } from './bad-arguments.js';
import { uniqueKey } from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { listen } from './feed-listener.js';

/** What `revocationFeedContract` needs: the feed, and ways to end what it watches. Leave out what it does not watch. */
export interface RevocationFeedFixture {
  readonly feed: RevocationFeed;
  /** Issues a token and revokes it, as another process would; gives its id. */
  readonly revokeToken: () => TokenId | Promise<TokenId>;
  /** Issues a token, uses it and notes the use: nothing that ends anything. */
  readonly logIn: () => unknown;
  /** Issues a token and deletes it for good. @default the feed does not see that */
  readonly deleteToken?: () => TokenId | Promise<TokenId>;
  /** Makes a user and disables it; gives its id. @default the feed watches no users */
  readonly disableUser?: () => string | Promise<string>;
  /** Makes a user and deletes it; gives its id. @default the feed watches no users */
  readonly deleteUser?: () => string | Promise<string>;
  /** Makes an HTTP session and destroys it; gives its id. @default the feed watches no HTTP sessions */
  readonly destroyHttpSession?: () => string | Promise<string>;
  /** Cuts the feed off from what it watches, runs `meanwhile`, and restores it. @default the feed cannot be cut off */
  readonly interrupt?: (meanwhile: () => Promise<void>) => Promise<void>;
  /** How long the feed may take to tell of something, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number;
}

/** The tests of the contract {@link RevocationFeed}. */
export function revocationFeedContract(options: ContractOptions<RevocationFeedFixture>): readonly ContractTest[] {
  return contractTests(options, cases);
}

const cases: ContractCases<RevocationFeedFixture> = {
  async 'a revoked token is told, to every subscriber'(fixture) {
    await using first = await listen(fixture.feed, fixture.timeoutMs);
    await using second = await listen(fixture.feed, fixture.timeoutMs);
    const id = await fixture.revokeToken();
    await first.hears(isOfToken(id));
    await second.hears(isOfToken(id));
  },
  async 'of a hundred tokens revoked at once every one is told'(fixture) {
    await using listener = await listen(fixture.feed, fixture.timeoutMs);
    const ids = await Promise.all(Array.from({ length: 100 }, async () => fixture.revokeToken()));
    for (const id of ids) await listener.hears(isOfToken(id));
  },
  async 'a token that is revoked as soon as the subscription stands is told'(fixture) {
    for (let round = 0; round < 5; round += 1) {
      await using listener = await listen(fixture.feed, fixture.timeoutMs);
      await listener.hears(isOfToken(await fixture.revokeToken()));
    }
  },
  async 'a deleted token is told'(fixture) {
    if (!fixture.deleteToken) return;
    await using listener = await listen(fixture.feed, fixture.timeoutMs);
    await listener.hears(isOfToken(await fixture.deleteToken()));
  },
  async 'a disabled and a deleted user are told, or hinted at'(fixture) {
    for (const end of [fixture.disableUser, fixture.deleteUser]) {
      if (!end) continue;
      await using listener = await listen(fixture.feed, fixture.timeoutMs);
      const id = await end();
      await listener.hears((revocation) => 'userId' in revocation && revocation.userId === id);
    }
  },
  async 'a destroyed HTTP session is told'(fixture) {
    if (!fixture.destroyHttpSession) return;
    await using listener = await listen(fixture.feed, fixture.timeoutMs);
    const id = await fixture.destroyHttpSession();
    await listener.hears((revocation) => 'httpSessionId' in revocation && revocation.httpSessionId === id);
  },
  async 'log-ins wake nobody'(fixture) {
    await using listener = await listen(fixture.feed, fixture.timeoutMs);
    for (let round = 0; round < 20; round += 1) await fixture.logIn();
    const id = await fixture.revokeToken();
    await listener.hears(isOfToken(id));
    assert.ok(listener.heard.length <= 2, `20 log-ins and one revocation woke the subscriber ${listener.heard.length} times`);
  },
  async 'a subscriber that throws keeps no other from hearing, nor itself from the next'(fixture) {
    const seen = new Set<unknown>();
    const subscription = await fixture.feed.subscribe((revocation) => {
      if ('tokenId' in revocation) seen.add(revocation.tokenId);
      throw new Error('the subscriber failed');
    }, nothing);
    try {
      await using listener = await listen(fixture.feed, fixture.timeoutMs);
      const ids = [await fixture.revokeToken(), await fixture.revokeToken()];
      for (const id of ids) await listener.hears(isOfToken(id));
      const last = await fixture.revokeToken();
      await listener.hears(isOfToken(last));
      for (const id of ids) assert.ok(seen.has(id), 'the subscriber that threw must be told of the next one too');
    } finally {
      await subscription[Symbol.asyncDispose]();
    }
  },
  async 'a subscription that was ended hears nothing more, ending it twice does no harm, and others go on'(fixture) {
    await using other = await listen(fixture.feed, fixture.timeoutMs);
    const ended = await listen(fixture.feed, fixture.timeoutMs);
    await ended[Symbol.asyncDispose]();
    await ended[Symbol.asyncDispose]();
    const count = ended.heard.length;
    await other.hears(isOfToken(await fixture.revokeToken()));
    assert.equal(ended.heard.length, count);
  },
  async 'what is published is told to every subscriber as it was given'({ feed, timeoutMs }) {
    if (!feed.publish) return;
    await using first = await listen(feed, timeoutMs);
    await using second = await listen(feed, timeoutMs);
    const { id } = uniqueKey();
    const revocations: readonly Revocation[] = [
      { tokenId: id },
      { userId: id },
      { userId: id, issuedBefore: new Date(1_700_000_000_000) },
      { httpSessionId: id },
      { userId: id, hint: true },
    ];
    for (const revocation of revocations) {
      await feed.publish(revocation);
      for (const listener of [first, second]) await listener.hears((heard) => asText(heard) === asText(revocation));
    }
  },
  async 'what names no token, user or HTTP session by its id is a TypeError in publish, and is told to nobody'({ feed, timeoutMs }) {
    if (!feed.publish) return;
    await using listener = await listen(feed, timeoutMs);
    const { id } = uniqueKey();
    const bad = [
      ...badTokenIds(id).map((tokenId) => ({ tokenId })),
      ...badIds(id).flatMap((each) => [{ userId: each }, { httpSessionId: each }]),
      { userId: id, issuedBefore: new Date(Number.NaN) },
      { tokenId: id, userId: id },
      {},
      null,
    ];
    await assertRefuses((each) => feed.publish?.(each), bad);
    await feed.publish({ userId: id });
    await listener.hears((heard) => 'userId' in heard && heard.userId === id);
    assert.equal(listener.heard.length, 1);
  },
  async 'what may have been missed while it was cut off is told of as a gap, and later revocations arrive again'(fixture) {
    const { interrupt } = fixture;
    if (!interrupt) return;
    await using listener = await listen(fixture.feed, fixture.timeoutMs);
    let gapsBefore = 0;
    const missed: TokenId[] = [];
    await interrupt(async () => {
      gapsBefore = listener.gaps;
      missed.push(await fixture.revokeToken());
    });
    const [id] = missed;
    assert.ok(id !== undefined, 'interrupt must run what it is given');
    await listener.hearsOrGap(isOfToken(id), gapsBefore);
    await listener.hears(isOfToken(await fixture.revokeToken()));
  },
  async 'what is revoked as soon as a gap is told is told, or another gap'(fixture) {
    const { interrupt } = fixture;
    if (!interrupt) return;
    let revoking: Promise<TokenId | undefined> | undefined;
    await using listener = await listen(fixture.feed, fixture.timeoutMs, () => {
      revoking ??= revokedIfPossible(fixture);
    });
    const missed: TokenId[] = [];
    await interrupt(async () => {
      missed.push(await fixture.revokeToken());
    });
    await listener.hearsOrGap((revocation) => missed.some((id) => isOfToken(id)(revocation)));
    const id = await revoking;
    if (id !== undefined) await listener.hearsOrGap(isOfToken(id), 1);
  },
};

/** A token that was revoked; `undefined` where it could not be, as where its process is cut off, too. */
async function revokedIfPossible({ revokeToken }: RevocationFeedFixture): Promise<TokenId | undefined> {
  try {
    return await revokeToken();
  } catch {
    return undefined;
  }
}

/** Whether a revocation is of the token. A hint serves as well: the channels are looked up again then. */
function isOfToken(id: TokenId): (revocation: Revocation) => boolean {
  return (revocation) => 'tokenId' in revocation && revocation.tokenId === id;
}

/** A revocation as text, its members in one order. */
function asText(revocation: Revocation): string {
  return JSON.stringify(Object.entries(revocation).sort(([one], [other]) => (one < other ? -1 : 1)));
}
