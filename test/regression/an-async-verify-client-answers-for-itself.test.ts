import { describe, expect, it } from 'vitest';
import { nextTurn, serve } from '../src/server/serving.js';
import { WsClient } from '../support/ws-client.js';

describe('an async verifyClient', () => {
  it.each([true, false])('without a callback answers by what its promise gives (%s)', async (verdict) => {
    const { port } = await serve({ receive: () => undefined }, { upgrades: { ws: { verifyClient: (async () => verdict) as never } } });
    const client = await WsClient.connect(port);
    expect(client.refused?.status).toBe(verdict ? undefined : 401);
  });

  it.each<[string, (...args: never[]) => Promise<never>]>([
    ['with a callback', async (_info: never, _done: never) => Promise.reject(new Error('no'))],
    ['without one', async (_info: never) => Promise.reject(new Error('no'))],
  ])('%s that rejects ends no process: the handshake is refused with 500 and the error reported', async (_name, verifyClient) => {
    const { port, errors } = await serve({ receive: () => undefined }, { upgrades: { ws: { verifyClient: verifyClient as never } } });
    const client = await WsClient.connect(port);
    expect(client.refused?.status).toBe(500);
    expect(errors).toMatchObject([{ message: 'no' }]);
  });

  it('that answers twice is heard once', async () => {
    const { port } = await serve(
      { receive: ({ channel, text }) => void channel.send(text) },
      {
        upgrades: {
          ws: {
            verifyClient: (_info, done) => {
              setImmediate(done, true);
              setImmediate(() => void nextTurn().then(() => done(false)));
            },
          },
        },
      },
    );
    const client = await WsClient.connect(port);
    await nextTurn();
    client.send('still here');
    expect(await client.next()).toBe('still here');
  });
});
