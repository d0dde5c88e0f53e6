import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTRPCClient, createWSClient, httpLink, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import { type appRouter, server, trpc } from '../src/trpc.js';
import { portOf, tokenCookie } from './support/client.js';

after(() => trpc.broadcastReconnectNotification());

async function whoAmI(cookie: string): Promise<string> {
  const headers = { cookie };
  class SocketOfVisitor extends WebSocket {
    constructor(url: string) {
      super(url, { headers });
    }
  }
  const url = `ws://127.0.0.1:${await portOf(server)}`;
  // the class of ws lacks nothing that the client of tRPC uses
  const client = createWSClient({ url, WebSocket: SocketOfVisitor as never, retryDelayMs: () => 0 });
  try {
    return await createTRPCClient<typeof appRouter>({ links: [wsLink({ client })] }).me.query();
  } finally {
    await client.close();
  }
}

test('the user of a token is in the context of procedures that are called over a WebSocket', async () => {
  assert.equal(await whoAmI(tokenCookie), 'ada');
});

test('and over HTTP', async () => {
  const url = `http://127.0.0.1:${await portOf(server)}`;
  const client = createTRPCClient<typeof appRouter>({ links: [httpLink({ url, headers: { cookie: tokenCookie } })] });
  assert.equal(await client.me.query(), 'ada');
});

test('the anonymous are refused by the procedure that asks for a user', async () => {
  await assert.rejects(whoAmI('key=unknown-unknown-unknown'), { message: 'UNAUTHORIZED' });
});
