import { describe, expect, it } from 'vitest';
import { withChannelSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';

describe('a session without a store', () => {
  it('has for the next message all that one set and deleted', async () => {
    const client = await connectTo({
      receive: withChannelSession((message) => {
        const { channel, channelSession } = message;
        channel.sendJson(channelSession);
        for (const [key, value] of Object.entries(message.json() as Record<string, unknown>)) {
          if (value === null) channelSession.delete(key);
          else channelSession.set(key, value);
        }
      }),
    });
    for (const changes of [{ a: 1, b: 2, c: 3 }, { a: null, b: 4 }, { c: null }, {}]) await client.sendJson(changes);
    expect(client.sentJson).toEqual([{}, { a: 1, b: 2, c: 3 }, { b: 4, c: 3 }, { b: 4 }]);
  });
});
