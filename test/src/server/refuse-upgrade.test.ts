import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { refuseUpgrade, type UpgradeRefusal } from '../../../src/server/refuse-upgrade.js';

/** What goes over the wire where an upgrade is refused so. */
async function answerOf(refusal: UpgradeRefusal): Promise<string> {
  const socket = new PassThrough();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  refuseUpgrade(socket, refusal);
  await nextTurn();
  socket.destroy();
  await nextTurn();
  return Buffer.concat(chunks).toString();
}

const retryAfterOf = (answer: string): string | undefined => /^Retry-After: (.*)\r$/m.exec(answer)?.[1];

describe('a refused upgrade', () => {
  it.each([
    [404, 'Not Found'],
    [499, 'Refused'],
  ])('is answered %i, with its reason phrase in line and body: %s', async (status, phrase) => {
    const answer = await answerOf({ status });
    expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status} ${phrase}`);
    expect(answer.split('\r\n\r\n')[1]).toBe(`${phrase}\n`);
    expect(answer).toMatch(new RegExp(`^Content-Length: ${phrase.length + 1}\r$`, 'm'));
  });

  it.each([
    [503, undefined, '5'],
    [429, undefined, '5'],
    [503, 1_001, '2'],
    [503, 2_000, '2'],
    [503, 0, '1'],
    [401, 1_000, undefined],
    [500, 1_000, undefined],
  ])('%i says when to come again in whole seconds, a second at least (%s ms: %s)', async (status, retryAfterMs, expected) => {
    expect(retryAfterOf(await answerOf({ status, retryAfterMs }))).toBe(expected);
  });

  it('of a connection that can be written to no more is only closed', () => {
    const socket = new PassThrough();
    socket.end();
    refuseUpgrade(socket, { status: 403 });
    expect(socket.destroyed).toBe(true);
  });
});
