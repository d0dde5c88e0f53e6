import { expect, it } from 'vitest';
import { ChannelServer, CloseChannel, DenyConnection } from '../../entries/index.js';
import { connectTo, TestClock } from '../../entries/testing.js';

it('via accept, a refusal is a close code and no status', async () => {
  const client = await connectTo(
    { connect: () => Promise.reject(new DenyConnection({ closeCode: 4404, reason: 'gone' })) },
    { via: 'accept' },
  );
  expect([client.closed, client.refusal]).toEqual([{ code: 4404, reason: 'gone' }, undefined]);
});

it('via accept, what connect sent before it was refused has gone out', async () => {
  const connect = ({ channel }: { channel: { send(data: string): boolean } }): never => {
    channel.send('hello');
    throw new CloseChannel(4000, 'bye');
  };
  const accepted = await connectTo({ connect }, { via: 'accept' });
  expect([accepted.sent, accepted.closed]).toEqual([['hello'], { code: 4000, reason: 'bye' }]);
  const upgraded = await connectTo({ connect });
  expect([upgraded.sent, upgraded.closed, upgraded.refusal]).toEqual([[], undefined, { status: 403 }]);
});

it('via accept, a deadline of connect is a close code, and a client that is let in lives as ever', async () => {
  const clock = new TestClock();
  const hanging = connectTo({ connect: () => new Promise(() => undefined) }, { via: 'accept', clock, onError: () => undefined });
  await clock.advance(5_000);
  expect((await hanging).closed).toEqual({ code: 3008, reason: 'connect took too long' });
  const codes: number[] = [];
  const channels = new ChannelServer({
    receive: ({ text, channel }) => void channel.send(text),
    disconnect: ({ code }) => void codes.push(code),
  });
  const client = await connectTo(channels, { via: 'accept', origin: 'http://127.0.0.1' });
  await client.send('hi');
  await client.disconnect(4_001);
  expect([client.sent, codes, client.closed?.code]).toEqual([['hi'], [4_001], 4_001]);
});

it('another via is a TypeError', async () => {
  await expect(connectTo({ receive: () => undefined }, { via: 'attach' as 'accept' })).rejects.toThrow(TypeError);
});
