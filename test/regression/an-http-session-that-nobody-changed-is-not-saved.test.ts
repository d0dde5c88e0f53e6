import { expect, it } from 'vitest';
import { type HttpSession, type HttpSessionReader, type ReceiveMessage, withHttpSession } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

it('an HTTP session is saved when its data were changed, and not for what copying makes of a Buffer or an object without a prototype', async () => {
  let saves = 0;
  const readById = async (id: string): Promise<HttpSession> => ({
    id,
    userId: undefined,
    data: { bytes: Buffer.from('bytes'), bare: Object.assign(Object.create(null) as object, { one: 1 }) },
    save: async () => {
      saves += 1;
    },
  });
  const sessions: HttpSessionReader = { read: () => readById('one'), readById };
  const client = await connectTo({
    receive: withHttpSession({ sessions })((message: ReceiveMessage & { httpSession: HttpSession | undefined }) => {
      if (message.text === 'change') (message.httpSession as HttpSession).data['seen'] = true;
    }),
  });
  await client.send('look');
  expect(saves).toBe(0);
  await client.send('change');
  expect(saves).toBe(1);
});
