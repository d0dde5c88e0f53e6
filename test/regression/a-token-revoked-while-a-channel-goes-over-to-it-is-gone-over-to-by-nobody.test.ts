import { expect, it } from 'vitest';
import { expired, idOf, keyOf, watch } from '../src/live/watched.js';
import { deferred } from '../support/deferred.js';

/** A channel whose token was exchanged; the look-up of the new one is under way, and was answered in its favour. */
async function goingOver() {
  const site = watch();
  const { tokens, connect, clock } = site;
  tokens.put('ann');
  const client = await connect('ann');
  const answering = deferred();
  const { findByIds } = tokens;
  tokens.findByIds = async (ids) => {
    const found = await findByIds?.(ids);
    if (ids.includes(idOf('ann-2'))) await answering.promise;
    return found ?? new Map();
  };
  tokens.put('ann', {}, 'ann-2');
  tokens.put('ann', { successorId: idOf('ann-2'), expiresAt: new Date(clock.now()) });
  tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
  await clock.advance(0);
  return { ...site, client, answering };
}

it('a token that is revoked while a channel is about to go over to it is gone over to by nobody', async () => {
  const { tokens, clock, client, answering } = await goingOver();
  tokens.put('ann', { revokedAt: new Date(clock.now()) }, 'ann-2');
  tokens.revocations.tell({ tokenId: idOf('ann-2') });
  answering.resolve();
  await clock.advance(0);
  expect(client.closed).toEqual(expired);
});

it('a token that is doubted while a channel is about to go over to it is looked up once more', async () => {
  const { tokens, clock, client, answering } = await goingOver();
  tokens.grants.delete(idOf('ann-2'));
  tokens.revocations.tell({ tokenId: idOf('ann-2'), hint: true });
  answering.resolve();
  await clock.advance(0);
  expect(client.closed).toMatchObject({ code: 3000, reason: 'token revoked' });
});

it('a token that is doubted while a client presents it on a live channel is looked up once more', async () => {
  const { tokens, connect, clock } = watch();
  tokens.put('ann');
  tokens.put('ann', {}, 'ann-2');
  const client = await connect('ann');
  const answering = deferred();
  const { findById } = tokens;
  tokens.findById = async (id) => {
    const found = await findById.call(tokens, id);
    await answering.promise;
    return found;
  };
  const presenting = client.channel.reauthenticate(keyOf('ann-2'));
  await clock.advance(0);
  tokens.grants.delete(idOf('ann-2'));
  tokens.revocations.tell({ tokenId: idOf('ann-2'), hint: true });
  answering.resolve();
  expect(await presenting).toBe(true);
  await clock.advance(0);
  expect(client.closed).toMatchObject({ code: 3000, reason: 'token revoked' });
});
