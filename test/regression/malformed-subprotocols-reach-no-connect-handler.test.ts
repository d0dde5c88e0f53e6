import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { serve } from '../support/serving.js';

it.each([',', 'chat,,json', 'chat,'])(
  'a handshake that offers the subprotocols "%s" is refused with 400 and reaches no handler',
  async (offers) => {
    const calls: string[] = [];
    const { port } = await serve({ connect: () => void calls.push('connect'), disconnect: () => void calls.push('disconnect') });
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': offers } });
    expect(await client.status()).toBe(400);
    expect(calls).toEqual([]);
  },
);
