import { describe, expect, it } from 'vitest';
import { type ConnectMessage, query, type ReceiveMessage, subprotocol, withUserFromToken } from '../../entries/index.js';
import { RawClient } from '../support/raw-client.js';
import { oneToken, serve } from '../support/serving.js';
import { WsClient } from '../support/ws-client.js';

describe('a token that only a wrapper inside a function of the application looks for', () => {
  it('is removed from the URL that is kept', async () => {
    const { tokens, key } = await oneToken();
    const identify = withUserFromToken({ tokens, from: query('token') })(({ channel, user }) => void channel.send(String(user.id)));
    const { port } = await serve({
      connect: (message: ConnectMessage) => identify(message),
      receive: ({ channel, request }: ReceiveMessage) => void channel.send(request.url),
    });
    const client = await WsClient.connect(port, { path: `/?room=1&token=${key}` });
    client.send('where?');
    expect(await client.take(2)).toEqual(['ann', '/?room=1&token=***']);
  });

  it('is not echoed as a subprotocol', async () => {
    const { tokens, key } = await oneToken();
    const identify = withUserFromToken({ tokens, from: subprotocol('token.') })(() => undefined);
    const { port } = await serve({ connect: (message: ConnectMessage) => identify(message) });
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': `token.${key}` } });
    expect(await client.answer()).not.toContain(key);
  });
});
