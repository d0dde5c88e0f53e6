import { describe, expect, it } from 'vitest';
import { CloseChannel, DenyConnection } from '../../entries/index.js';
import { nextTurn, serve } from '../support/serving.js';
import { WsClient } from '../support/ws-client.js';

describe('a refusal whose reason is no string', () => {
  it.each<[string, () => Error]>([
    ['DenyConnection', () => new DenyConnection({ reason: 42 as never })],
    ['CloseChannel', () => new CloseChannel(4000, null as never)],
  ])('is a mistake of the one who made it: %s', (name, make) => {
    expect(make).toThrow(new RegExp(`^${name}: reason must be a string, got (42|null)$`));
  });

  it.each([false, true])('closes the channel with 1011 and ends nothing else (async: %s)', async (isAsync) => {
    const { port, errors } = await serve({
      receive: () => {
        const fail = (): never => {
          throw new DenyConnection({ reason: 42 as never });
        };
        return isAsync ? nextTurn().then(fail) : fail();
      },
    });
    const client = await WsClient.connect(port);
    client.send('anything');
    expect((await client.closed()).code).toBe(1011);
    expect(errors).toMatchObject([{ message: 'DenyConnection: reason must be a string, got 42' }]);
  });
});
