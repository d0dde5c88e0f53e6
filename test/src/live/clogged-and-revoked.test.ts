import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { withUserFromToken } from '../../../entries/index.js';
import { eventually } from '../../support/eventually.js';
import { opcodes, RawClient } from '../../support/raw-client.js';
import { modes, serve } from '../../support/serving.js';
import { idOf, keyOf, ScriptedTokens } from './watched.js';

const megabyte = 1_048_576;

/** A channel whose peer reads nothing, with several megabytes that wait for it. */
async function clogged(mode: (typeof modes)[number], piece: number) {
  const tokens = new ScriptedTokens();
  tokens.put('ann');
  const disconnect = vi.fn();
  const served = await serve(
    { connect: withUserFromToken({ tokens })(() => undefined), disconnect },
    { mode, maxBufferedBytes: 64 * megabyte, heartbeatMs: 0 },
  );
  const accepted = once(served.http, 'connection').then(([socket]) => socket as Socket);
  const client = await RawClient.connect(served.port, { headers: { cookie: `key=${keyOf('ann')}` } });
  client.socket.pause();
  const socket = await accepted;
  const [channel] = await eventually(() => {
    expect(served.channels.channels.size).toBe(1);
    return [...served.channels.channels];
  });
  for (let sent = 0; sent < 24 * megabyte; sent += piece) channel?.send(Buffer.alloc(piece, 1));
  await eventually(() => expect(socket.writableLength).toBeGreaterThan(4 * megabyte));
  return { ...served, tokens, client, socket, channel, disconnect };
}

describe.each(modes)('a revoked channel whose peer reads nothing of the megabytes that wait for it (%s)', (mode) => {
  it.each([4_096, 262_144])('is gone within two seconds, and nothing is sent after (pieces of %i bytes)', async (piece) => {
    const { tokens, clock, socket, channel, channels, disconnect } = await clogged(mode, piece);
    tokens.revocations.tell({ tokenId: idOf('ann') });
    expect(channel?.send('after')).toBe(false);
    await clock.advance(2_000);
    await eventually(() => expect(socket.destroyed).toBe(true));
    await eventually(() => expect(disconnect).toHaveBeenCalledOnce());
    expect(disconnect.mock.calls[0]?.[0]).toMatchObject({ code: 3000 });
    expect(channels.channels.size).toBe(0);
    expect(channels.channels.ofToken(idOf('ann'))).toEqual([]);
  });

  it('is told why where it begins to read in time, after what waited', async () => {
    const { tokens, client, socket, channels } = await clogged(mode, 262_144);
    tokens.revocations.tell({ tokenId: idOf('ann') });
    client.socket.resume();
    let frame = await client.nextFrame();
    while (frame.opcode !== opcodes.close) frame = await client.nextFrame();
    expect(frame.payload.readUInt16BE(0)).toBe(3000);
    client.finish();
    await eventually(() => expect(socket.destroyed).toBe(true));
    expect(channels.channels.size).toBe(0);
  });
});
