import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { graphql, server } from '../src/graphql-ws.js';
import { key, portOf } from './support/client.js';

after(() => graphql.dispose());

async function whoAmI(token: string): Promise<unknown> {
  const url = `ws://127.0.0.1:${await portOf(server)}/graphql`;
  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams: { token }, retryAttempts: 0 });
  try {
    for await (const { data } of client.iterate({ query: '{ me }' })) return data;
    return undefined;
  } finally {
    await client.dispose();
  }
}

test('the user of the key in connectionParams is in the context of operations', async () => {
  assert.deepEqual({ ...((await whoAmI(key)) as object) }, { me: 'ada' });
});

test('a connection without a good key is refused', async () => {
  await assert.rejects(whoAmI('0'.repeat(40)), { code: 4403 });
});
