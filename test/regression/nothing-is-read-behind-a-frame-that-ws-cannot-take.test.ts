import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { UpgradeOptions } from '../../entries/index.js';
import { compressedFrame } from '../support/frames.js';
import { closeFrame, frame, RawClient } from '../support/raw-client.js';
import { serve } from '../support/serving.js';

/** Ways to have ws wait for one frame while others arrive. */
const waits: readonly [string, UpgradeOptions['ws'], (text: string) => Buffer][] = [
  ['that is inflated', { perMessageDeflate: true }, compressedFrame],
  ['whose event ws defers', { allowSynchronousEvents: false }, frame],
];

describe('behind a frame', () => {
  it.each(waits)('%s nothing is read after one that ws cannot take, and no process ends', async (_name, ws, first) => {
    const heard: string[] = [];
    const ended: number[] = [];
    const { port, http } = await serve(
      { receive: ({ text }) => void heard.push(text), disconnect: ({ code }) => void ended.push(code) },
      { upgrades: { ws } },
    );
    const connected = once(http, 'connection') as Promise<[Socket]>;
    const client = await RawClient.connect(port, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    const [raw] = await connected;
    for (const piece of [first('first'), closeFrame(1005), frame('behind')]) raw.emit('data', piece); // in one turn, as several reads of one poll are
    expect(await client.closeCode()).toBe(1002);
    client.finish();
    await client.ended();
    await expect.poll(() => ended).toEqual([1002]);
    expect(heard).toEqual(['first']);
  });
});
