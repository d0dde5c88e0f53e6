import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type HasChannelSession, type ReceiveMessage, withChannelSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';

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

  it('stays as it was for a message that runs, whatever another one changes meanwhile', async () => {
    const looking = deferred();
    const seen: unknown[] = [];
    const receive = withChannelSession(async ({ channelSession, text }: ReceiveMessage & HasChannelSession) => {
      if (text !== 'look') channelSession.set('value', text);
      else {
        seen.push(channelSession.get('value'));
        await looking.promise;
        seen.push(channelSession.get('value'));
      }
    });
    const client = await connectTo({ receive }, { concurrency: 2 });
    await client.send('earlier');
    await client.send('before');
    const looked = client.send('look');
    const changed = client.send('after');
    await nextTurn();
    looking.resolve();
    await Promise.all([looked, changed]);
    expect([seen, client.channelSession.get('value')]).toEqual([['before', 'before'], 'after']);
  });
});
