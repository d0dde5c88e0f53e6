import { describe, expect, it } from 'vitest';
import { ChannelServer } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { nextTurn } from '../../support/serving.js';
import { expired, idOf, keyOf, revoked, watch } from './watched.js';

describe('channel.reauthenticate', () => {
  it('lets the channel go over to another token of its user, and live as long as that', async () => {
    const { tokens, connect, clock, server } = watch();
    const start = clock.now();
    tokens.put('ann', { expiresAt: new Date(start + 60_000) });
    tokens.put('ann', { expiresAt: new Date(start + 300_000) }, 'ann-2');
    const client = await connect('ann');
    expect(await client.channel.reauthenticate(keyOf('ann-2'))).toBe(true);
    expect(client.channel.tokenId).toBe(idOf('ann-2'));
    expect(server.channels.ofToken(idOf('ann'))).toEqual([]);
    expect(server.channels.ofToken(idOf('ann-2'))).toEqual([client.channel]);
    tokens.revocations.tell({ tokenId: idOf('ann') });
    await clock.advance(299_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual(expired);
    expect(server.channels.ofToken(idOf('ann-2'))).toEqual([]);
  });

  it.each([
    ['unknown', () => undefined],
    ['of another user', { user: { id: 'bob', isAuthenticated: true as const } }],
    ['revoked', { revokedAt: new Date(0) }],
    ['expired', { expiresAt: new Date(0) }],
    ['of a user who was disabled', { user: undefined }],
  ])('resolves to false, and changes nothing, where the token is %s', async (_how, grant) => {
    const { tokens, connect } = watch();
    tokens.put('ann');
    if (typeof grant !== 'function') tokens.put('ann', grant, 'ann-2');
    const client = await connect('ann');
    const { authentication, user } = client;
    expect(await client.channel.reauthenticate(keyOf('ann-2'))).toBe(false);
    expect([client.authentication, client.user, client.closed]).toEqual([authentication, user, undefined]);
  });

  it('keeps a channel whose token ends meanwhile, for as long as the look-up takes and less than a second', async () => {
    const { tokens, connect, clock } = watch({ revalidate: 'connect' });
    const start = clock.now();
    for (const name of ['ann', 'bob']) tokens.put(name, { expiresAt: new Date(start + 60_000) });
    tokens.put('ann', { expiresAt: new Date(start + 120_000) }, 'ann-2');
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    await clock.advance(59_990);
    const answers = deferred();
    tokens.answers = answers.promise;
    const renewals = [ann.channel.reauthenticate(keyOf('ann-2')), bob.channel.reauthenticate(keyOf('bob-2'))];
    await clock.advance(200);
    expect([ann.closed, bob.closed]).toEqual([undefined, undefined]);
    answers.resolve();
    expect(await Promise.all(renewals)).toEqual([true, false]);
    await clock.advance(20);
    expect([ann.closed, bob.closed]).toEqual([undefined, expired]);
    tokens.answers = new Promise(() => undefined);
    await clock.advance(59_700);
    const late = ann.channel.reauthenticate(keyOf('ann-3')).catch(() => false);
    await clock.advance(1_100);
    expect(ann.closed).toEqual(expired);
    await clock.advance(5_000);
    expect(await late).toBe(false);
  });

  it.each([true, false])(
    'keeps a channel of which it is found meanwhile that its token has ended, until it is known (renewed: %s)',
    async (isRenewed) => {
      const { tokens, connect, clock } = watch({ revalidate: 'connect' });
      const start = clock.now();
      tokens.put('ann', { expiresAt: new Date(start + 60_000) });
      if (isRenewed) tokens.put('ann', { expiresAt: new Date(start + 120_000) }, 'ann-2');
      const client = await connect('ann');
      const [ofEnd, ofKey] = [deferred(), deferred()];
      tokens.answers = ofEnd.promise;
      await clock.advance(59_950); // its end is near, so it is looked up
      tokens.answers = ofKey.promise;
      const renewal = client.channel.reauthenticate(keyOf('ann-2'));
      await clock.advance(100);
      ofEnd.resolve();
      await clock.advance(100);
      expect(client.closed).toBeUndefined();
      ofKey.resolve();
      expect(await renewal).toBe(isRenewed);
      await clock.advance(20);
      expect(client.closed).toEqual(isRenewed ? undefined : expired);
    },
  );

  it('resolves to false on an anonymous channel, and on one that has ended', async () => {
    const { tokens, connect } = watch();
    tokens.put('ann');
    const [nobody, ann] = [await connect('nobody'), await connect('ann')];
    expect(await nobody.channel.reauthenticate(keyOf('ann'))).toBe(false);
    await ann.disconnect();
    expect(await ann.channel.reauthenticate(keyOf('ann'))).toBe(false);
  });

  it.each([undefined, null, 1234567890123456, '', 'short', { $ne: null }, 'x'.repeat(513), `${'x'.repeat(20)} `])(
    'rejects %o with a TypeError that does not show it',
    async (key) => {
      const { tokens, connect } = watch();
      tokens.put('ann');
      const client = await connect('ann');
      const error: unknown = await client.channel.reauthenticate(key as never).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      if (typeof key === 'number' || (typeof key === 'string' && key !== '')) expect((error as Error).message).not.toContain(String(key));
    },
  );

  it('rejects with a TypeError where nobody is identified by tokens', async () => {
    const server = new ChannelServer({ receive: () => undefined });
    const client = await connectTo(server);
    await expect(client.channel.reauthenticate(keyOf('ann'))).rejects.toThrow(TypeError);
    await server.close();
  });

  it('rejects where nobody can tell, at the latest after the deadline, and the channel goes on', async () => {
    const { tokens, connect, clock } = watch();
    tokens.put('ann');
    const client = await connect('ann');
    tokens.fails(true);
    await expect(client.channel.reauthenticate(keyOf('ann-2'))).rejects.toMatchObject({ code: 'ERR_LOOKUP_FAILED' });
    tokens.answers = new Promise(() => undefined);
    const hanging = expect(client.channel.reauthenticate(keyOf('ann-2'))).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
    await clock.advance(5_000);
    await hanging;
    expect(client.closed).toBeUndefined();
  });

  it('asks once for calls with one key, and one after the other for others', async () => {
    const { tokens, connect } = watch();
    for (const name of ['ann', 'ann-2', 'ann-3']) tokens.put('ann', {}, name);
    const client = await connect('ann');
    tokens.asked.length = 0;
    const [first, second] = [deferred(), deferred()];
    tokens.answers = first.promise;
    const present = (name: string): Promise<boolean> => client.channel.reauthenticate(keyOf(name));
    const [one, same, other] = ['ann-2', 'ann-2', 'ann-3'].map(present);
    await nextTurn();
    tokens.answers = second.promise;
    first.resolve();
    expect(await Promise.all([one, same])).toEqual([true, true]);
    const sameAsOther = present('ann-3');
    second.resolve();
    expect(await Promise.all([other, sameAsOther])).toEqual([true, true]);
    expect(tokens.asked).toEqual([[idOf('ann-2')], [idOf('ann-3')]]);
    expect(client.channel.tokenId).toBe(idOf('ann-3'));
  });

  it('looks up a key that is presented while the look-up of another one fails', async () => {
    const { tokens, connect } = watch();
    for (const name of ['ann', 'ann-2', 'ann-3']) tokens.put('ann', {}, name);
    const client = await connect('ann');
    const answering = deferred();
    tokens.answers = answering.promise.then(() => Promise.reject(new Error('the database is gone')));
    const failing = expect(client.channel.reauthenticate(keyOf('ann-2'))).rejects.toMatchObject({ code: 'ERR_LOOKUP_FAILED' });
    const other = client.channel.reauthenticate(keyOf('ann-3'));
    await nextTurn();
    tokens.fails(false);
    answering.resolve();
    await failing;
    expect(await other).toBe(true);
    expect(client.channel.tokenId).toBe(idOf('ann-3'));
  });

  it('does not go over to a token that is revoked while it is looked up, nor let an ended channel live', async () => {
    const { tokens, connect, clock } = watch();
    for (const name of ['ann', 'ann-2']) tokens.put('ann', {}, name);
    const client = await connect('ann');
    const answering = deferred();
    tokens.answers = answering.promise;
    const going = client.channel.reauthenticate(keyOf('ann-2'));
    await clock.advance(0);
    tokens.revocations.tell({ tokenId: idOf('ann-2') });
    answering.resolve();
    expect(await going).toBe(false);
    expect(client.channel.tokenId).toBe(idOf('ann'));
    const again = client.channel.reauthenticate(keyOf('ann'));
    tokens.revocations.tell({ tokenId: idOf('ann') });
    expect(await again).toBe(false);
    expect(client.closed).toEqual(revoked);
  });
});
