import { describe, expect, it } from 'vitest';
import { deferred } from '../support/deferred.js';
import { nextTurn, serve } from '../support/serving.js';
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

  it('that rejects after its answer has answered: the error is reported', async () => {
    const verifyClient = async (_info: never, done: (verdict: boolean) => void): Promise<never> => {
      done(true);
      await nextTurn();
      throw new Error('too late');
    };
    const { port, errors } = await serve({ receive: () => undefined }, { upgrades: { ws: { verifyClient: verifyClient as never } } });
    const client = await WsClient.connect(port);
    expect(client.refused).toBeUndefined();
    await expect.poll(() => errors).toMatchObject([{ message: 'too late' }]);
  });

  it('that rejects when its handshake has been refused already ends no process: the error is reported', async () => {
    const verifying = deferred<boolean>();
    const { port, clock, errors } = await serve(
      { receive: () => undefined },
      { upgrades: { ws: { verifyClient: (() => verifying.promise) as never } } },
    );
    const connecting = WsClient.connect(port);
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(5_000);
    expect((await connecting).refused).toBeDefined();
    verifying.reject(new Error('too late'));
    await nextTurn();
    expect(errors).toContainEqual(new Error('too late'));
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
