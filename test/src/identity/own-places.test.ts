import { describe, expect, it } from 'vitest';
import { type CredentialSource, cookie, type ReceiveMessage, withUserFromToken } from '../../../entries/index.js';
import { type ConnectOptions, connectTo } from '../../../entries/testing.js';
import { codesOf, expectProcessToLive, aliceKey as key, makeSite } from '../../support/site.js';

expectProcessToLive();

/** Connects where the token is read at a place of the application's own, which returns `found`. */
async function connectWith(find: () => unknown) {
  const site = makeSite();
  const place: CredentialSource = { carrier: 'header', name: 'x-key', find: find as CredentialSource['find'] };
  const from = [place, cookie()];
  const client = await connectTo({ connect: withUserFromToken({ tokens: site.tokens, from })(() => {}) }, site.options);
  return { ...site, client };
}

describe('a place of one’s own where tokens travel', () => {
  it('may hold a key', async () => {
    const { client } = await connectWith(() => ({ kind: 'key', key }));
    expect(client.authentication).toMatchObject({ outcome: 'ok', source: 'token', carrier: 'header' });
  });

  it.each(['header', 'query', 'subprotocol'])('of the carrier %s may have no name', async (carrier) => {
    const { tokens, options } = makeSite();
    const from = { carrier, find: () => ({ kind: 'key', key }) } as unknown as CredentialSource;
    const client = await connectTo({ connect: withUserFromToken({ tokens, from })(() => {}) }, options);
    expect(client.user).toMatchObject({ id: 'alice' });
  });

  it.each<[CredentialSource['carrier'], string, ConnectOptions]>([
    ['header', 'X-Key', { headers: { 'x-key': key } }],
    ['query', 'key', { url: `/?key=${key}` }],
  ])('of the carrier %s is removed from what is kept of the handshake', async (carrier, name, handshake) => {
    const { tokens, options } = makeSite();
    const from: CredentialSource = { carrier, name, find: () => ({ kind: 'key', key }) };
    const kept: unknown[] = [];
    const receive = ({ request }: ReceiveMessage): void => void kept.push(request);
    const client = await connectTo({ connect: withUserFromToken({ tokens, from })(() => {}), receive }, { ...options, ...handshake });
    await client.send('hello');
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(key);
  });

  it.each([[undefined], [null], [{ kind: 'missing' }], [{ kind: 'key' }], [{ kind: 'key', key: null }]])(
    'presents nothing by %j',
    async (found) => {
      const { client, lookUps } = await connectWith(() => found);
      expect([client.authentication?.outcome, client.refusal, lookUps]).toEqual(['missing', undefined, []]);
    },
  );

  it.each([
    ['an alphabet of its own', { kind: 'key', key: `${key}!` }],
    ['white space', { kind: 'key', key: `${key} ` }],
    ['too short a key', { kind: 'key', key: 'abc' }],
    ['too long a key', { kind: 'key', key: 'a'.repeat(513) }],
    ['an empty key', { kind: 'key', key: '' }],
    ['a list of keys', { kind: 'key', key: [key, key] }],
    ['a number', { kind: 'key', key: 1234567890123456 }],
    ['what it calls malformed', { kind: 'malformed' }],
  ])('is malformed by %s, and no repository sees it', async (_what, found) => {
    const { client, lookUps, errors } = await connectWith(() => found);
    expect(client.authentication).toEqual({ outcome: 'malformed', source: 'token', carrier: 'header' });
    expect([client.refusal, lookUps, errors]).toEqual([undefined, [], []]);
  });

  it.each([
    ['a key itself', key],
    ['an unknown kind', { kind: 'token', key }],
    ['nothing of the kind', {}],
    ['a promise', Promise.resolve({ kind: 'key', key })],
  ])('cannot tell by %s: a mistake of the application, which is reported', async (_what, found) => {
    const { client, errors } = await connectWith(() => found);
    expect([client.refusal, codesOf(errors)]).toEqual([{ status: 503 }, ['ERR_LOOKUP_FAILED']]);
    expect((errors[0] as Error).cause).toBeInstanceOf(TypeError);
    expect(String((errors[0] as Error).cause)).toContain('header x-key');
    expect(String((errors[0] as Error).cause)).not.toContain(key);
  });
});
