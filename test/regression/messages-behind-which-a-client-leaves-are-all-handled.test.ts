import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { UpgradeOptions } from '../../entries/index.js';
import { compressedFrame } from '../support/frames.js';
import { closeFrame, frame, opcodes, RawClient } from '../support/raw-client.js';
import { serve } from '../support/serving.js';

interface Wait {
  readonly ws?: UpgradeOptions['ws'];
  readonly binaryType?: 'blob';
  readonly frameOf: (text: string) => Buffer;
}

/** Why ws, or a channel, gets to messages only after the end behind them is there. */
const waits: Readonly<Record<string, Wait>> = {
  inflated: { ws: { perMessageDeflate: true }, frameOf: compressedFrame },
  'of deferred events': { ws: { allowSynchronousEvents: false }, frameOf: frame },
  'read from a Blob': { binaryType: 'blob', frameOf: (text) => frame(text, opcodes.binary) },
};
const endings = { FIN: Buffer.alloc(0), 'close frame': closeFrame(1001) } as const;
const cases = Object.keys(waits).flatMap((wait) => Object.keys(endings).map((end) => [wait, end as keyof typeof endings] as const));

const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);

describe('behind messages', () => {
  it.each(cases)('that are %s, a %s keeps none from being handled', async (wait, end) => {
    const { ws, binaryType = 'nodebuffer', frameOf } = waits[wait] as Wait;
    const heard: string[] = [];
    const ended: number[] = [];
    const { port, channels } = await serve(
      { receive: ({ text }) => void heard.push(text), disconnect: ({ code }) => void ended.push(code) },
      { upgrades: { ws } },
    );
    const client = await RawClient.connect(port, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    for (const { socket } of channels.channels) (socket as WebSocket).binaryType = binaryType as 'nodebuffer';
    client.write(Buffer.concat([...texts.map((text) => frameOf(text)), endings[end]]));
    client.finish();
    await expect.poll(() => ended).toEqual([end === 'FIN' ? 1006 : 1001]);
    expect(heard).toEqual(texts);
  });

  it('whose events are deferred, no beat that falls among them keeps any from being handled', async () => {
    const heard: string[] = [];
    let beats = 0;
    const { port, clock, channels } = await serve(
      {
        receive: ({ text, channel: { socket } }) => {
          heard.push(text);
          if (socket?.readyState === socket?.OPEN || beats > 0) return;
          beats += 1;
          void clock.advance(100);
        },
      },
      { heartbeatMs: 100, upgrades: { ws: { allowSynchronousEvents: false } } },
    );
    const client = await RawClient.connect(port);
    client.write(Buffer.concat(texts.map((text) => frame(text))));
    client.finish();
    await expect.poll(() => channels.channels.size).toBe(0);
    expect([beats, heard]).toEqual([1, texts]);
  });
});
