import { describe, expect, it } from 'vitest';
import { ChannelServer, type TokenGrant, tokenIdOf, withUserFromToken } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { collectGarbage } from '../../support/collect-garbage.js';
import { eventually } from '../../support/eventually.js';
import { RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

const validKey = 'a'.repeat(40);
const hangingKey = 'b'.repeat(40);
const grant: TokenGrant = { id: tokenIdOf(validKey), user: { id: 'ann', isAuthenticated: true } };

/** Look-ups of the valid key answer, all others hang until the test lets them answer. */
function halfDead() {
  const answers: ((grant: TokenGrant | undefined) => void)[] = [];
  const findById = (id: string): Promise<TokenGrant | undefined> =>
    id === grant.id ? Promise.resolve(grant) : new Promise((resolve) => answers.push(resolve));
  return { answers, tokens: { findById } };
}

/** What is used once nothing more is let go, or no more than `enough`: of a heap that all tests share each collection takes its time. */
async function heapUsed(enough = 0): Promise<number> {
  for (let turn = 0; turn < 3 && (turn === 0 || process.memoryUsage().heapUsed >= enough); turn += 1) {
    await collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

describe('handshakes whose look-up hangs', () => {
  it('are all refused at the deadline, 5,000 of them, their memory is back, and a valid client gets in meanwhile', async () => {
    const clock = new TestClock();
    const { answers, tokens } = halfDead();
    let connects = 0;
    let disconnects = 0;
    const channels = new ChannelServer(
      {
        connect: withUserFromToken({ tokens })(({ channel, user }) => {
          connects += 1;
          channel.send(String(user.id));
        }),
        disconnect: () => {
          disconnects += 1;
        },
      },
      { clock, onError: () => undefined },
    );
    const storm = async (): Promise<Set<number | undefined>> => {
      const connecting = Array.from({ length: 5_000 }, () => connectTo(channels, { cookies: { key: hangingKey } }));
      await nextTurn();
      expect(answers).toHaveLength(5_000);
      const valid = await connectTo(channels, { cookies: { key: validKey } });
      expect(valid.sent).toEqual(['ann']);
      expect(channels.channels.size).toBe(1);
      await clock.advance(5_000);
      const statuses = new Set((await Promise.all(connecting)).map(({ refusal }) => refusal?.status));
      await valid.disconnect();
      return statuses;
    };
    const before = await heapUsed();
    expect(await storm()).toEqual(new Set([503]));
    for (const answer of answers.splice(0)) answer(grant);
    const most = before + 4 * 1_048_576;
    expect(await heapUsed(most)).toBeLessThan(most);
    expect({ connects, disconnects, size: channels.channels.size }).toEqual({ connects: 1, disconnects: 1, size: 0 });
    await channels.close();
    expect(clock.pendingTimers).toBe(0);
  }, 60_000);

  it.each(modes)('hold up nobody on real sockets, and all end at the deadline (%s)', async (mode) => {
    const { answers, tokens } = halfDead();
    const connect = withUserFromToken({ tokens })(({ channel, user }) => void channel.send(String(user.id)));
    const { port, channels, clock, http } = await serve({ connect }, { mode });
    const headers = { cookie: `key=${hangingKey}` };
    const clients: RawClient[] = [];
    for (let index = 0; index < 200; index += 1) clients.push(await RawClient.upgrade(port, { headers }));
    await eventually(() => expect(answers).toHaveLength(200));
    const valid = await WsClient.connect(port, { cookie: `key=${validKey}` });
    expect(await valid.next()).toBe('ann');
    await clock.advance(5_000);
    for (const client of clients) {
      expect(await client.status()).toBe(mode === 'accept' ? 101 : 503);
      if (mode === 'accept') expect(await client.closeCode()).toBe(1013);
      client.finish();
    }
    for (const answer of answers) answer(grant);
    await valid.close();
    await channels.close();
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    http.closeAllConnections();
  });
});
