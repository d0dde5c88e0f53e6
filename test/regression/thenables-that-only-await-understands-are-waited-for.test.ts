import { expect, it } from 'vitest';
import {
  ClientError,
  defineWrapper,
  type ReceiveMessage,
  type StandardSchema,
  whenSettled,
  withClientErrors,
  withJson,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

/** As little as `await` asks for: `then` returns nothing, and calls back what it is given. */
function bare<T>(settle: () => T): PromiseLike<T> {
  const then = (onValue: (value: T) => void, onError: (error: unknown) => void): void => {
    setImmediate(() => {
      try {
        onValue(settle());
      } catch (error) {
        onError(error);
      }
    });
  };
  return { then } as unknown as PromiseLike<T>;
}

const fail = (): never => {
  throw new ClientError('no');
};

it('thenables whose then returns nothing are waited for, and their rejections told, as by await', async () => {
  let isDone = false;
  const finish = (): void => {
    isDone = true;
  };
  const schema: StandardSchema<unknown, unknown> = {
    '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => bare(() => ({ value })) as never },
  };
  const withEnd = defineWrapper('withEnd', (_message, next) =>
    whenSettled(
      () => next(),
      () => undefined,
    ),
  );
  for (const receive of [
    withClientErrors((message: ReceiveMessage) => bare(message.text === '"fail"' ? fail : finish)),
    withJson(schema)((message: ReceiveMessage) => bare(message.text === '"fail"' ? fail : finish)),
    withClientErrors(withEnd((message: ReceiveMessage) => bare(message.text === '"fail"' ? fail : finish))),
  ]) {
    isDone = false;
    const client = await connectTo({ receive: receive as (message: ReceiveMessage) => unknown });
    await client.send('"work"');
    expect(isDone).toBe(true);
    await client.send('"fail"');
    expect(client.sentJson).toEqual([{ error: 'no' }]);
    expect(client.closed).toBeUndefined();
  }
});
