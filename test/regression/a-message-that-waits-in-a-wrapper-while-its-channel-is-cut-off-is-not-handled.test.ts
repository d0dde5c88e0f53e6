import { expect, it } from 'vitest';
import {
  ChannelServer,
  compose,
  defineWrapper,
  type StandardSchema,
  withChannelUser,
  withJson,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { tokenIdOf } from '../../src/token-id.js';
import { deferred } from '../support/deferred.js';
import { aliceKey, makeSite } from '../support/site.js';

/** A gate that wrappers wait at. */
function makeGate(): { readonly reached: Promise<void>; pass(): void; wait(): Promise<void> } {
  const [reached, passed] = [deferred(), deferred()];
  return {
    reached: reached.promise,
    pass: passed.resolve,
    wait: () => {
      reached.resolve();
      return passed.promise;
    },
  };
}

type Gate = ReturnType<typeof makeGate>;

const waitingWrappers = {
  'an asynchronous schema of withJson': ({ wait }: Gate) => {
    const schema: StandardSchema<unknown, unknown> = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => wait().then(() => ({ value })) },
    };
    return withJson(schema);
  },
  'a wrapper of the application': ({ wait }: Gate) =>
    defineWrapper('withPatience', async (_message, next) => {
      await wait();
      return next();
    })(),
};

for (const [name, wrapperAt] of Object.entries(waitingWrappers)) {
  it(`a message that waits in ${name} is not handled once its token was revoked`, async () => {
    const site = makeSite();
    const gate = makeGate();
    const handled: string[] = [];
    const wrapper = wrapperAt(gate);
    const server = new ChannelServer(
      {
        connect: withUserFromToken({ tokens: site.tokens })(() => undefined),
        receive: withChannelUser(compose(wrapper)(() => void handled.push('receive'))),
        disconnect: () => void handled.push('disconnect'),
      },
      site.options,
    );
    const client = await connectTo(server, { cookies: { key: aliceKey } });
    const sending = client.sendJson({ any: 1 });
    await gate.reached;
    await site.tokens.revoke(tokenIdOf(aliceKey));
    gate.pass();
    await sending;
    await server.close();
    expect(client.closed?.code).toBe(3000);
    expect(handled).toEqual(['disconnect']);
    expect(site.errors).toEqual([]);
  });

  it(`a message that waits in ${name} is handled where the peer merely left`, async () => {
    const site = makeSite();
    const gate = makeGate();
    const handled: string[] = [];
    const wrapper = wrapperAt(gate);
    const server = new ChannelServer(
      {
        receive: compose(wrapper)(() => void handled.push('receive')),
        disconnect: () => void handled.push('disconnect'),
      },
      site.options,
    );
    const client = await connectTo(server);
    const sending = client.sendJson({ any: 1 });
    await gate.reached;
    const leaving = client.disconnect();
    gate.pass();
    await Promise.all([sending, leaving]);
    await server.close();
    expect(handled).toEqual(['receive', 'disconnect']);
  });
}
