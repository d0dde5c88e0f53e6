import { expect, it } from 'vitest';
import { type BaseMessage, defineWrapper } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { expectProcessToLive, makeSite } from '../../support/site.js';

expectProcessToLive();

it('a wrapper has from next what the handler returned: a promise where that is one, and else the value, at once', async () => {
  const seen: unknown[] = [];
  const withWatch = defineWrapper('withWatch', (_message: BaseMessage, next) => {
    const result = next();
    seen.push(result);
    return result;
  });
  for (const handler of [() => undefined, async () => undefined]) {
    const client = await connectTo({ receive: withWatch(handler) }, makeSite().options);
    await client.send('x');
  }
  expect(seen).toEqual([undefined, expect.any(Promise)]);
});
