import { expect, it, vi } from 'vitest';
import { connectTo } from '../../entries/testing.js';

it('errors whose causes form a circle are logged all the same', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const first = new Error('first');
  const second = new Error('second', { cause: first });
  first.cause = second;
  const client = await connectTo({
    receive: () => {
      throw first;
    },
  });
  await client.send('anything');
  expect(log).toHaveBeenCalledOnce();
  expect(log.mock.calls[0]?.[0]).toMatch(/first[\s\S]*caused by[\s\S]*second/);
});
