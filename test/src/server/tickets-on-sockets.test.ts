import { expect, it } from 'vitest';
import {
  authorization,
  type Handshake,
  type HandshakeRequest,
  subprotocol,
  ticket,
  tokenIdOf,
  withAuthenticatedUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { modes, serve } from '../../support/serving.js';
import { alice, aliceKey, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

const tokenId = tokenIdOf(aliceKey);

async function serveTickets(mode: (typeof modes)[number], from = ticket()) {
  const { tokens } = makeSite();
  const tickets = new MemoryTicketStore();
  const urls: (string | undefined)[] = [];
  const note = ({ request }: { readonly request: HandshakeRequest | Handshake }): void => void urls.push(request.url);
  const connect = withUserFromToken({ tokens, tickets, from: [authorization(), from] })(
    withAuthenticatedUser((message) => message.channel.send(message.user.id)),
  );
  const served = await serve({ connect, receive: note }, { mode });
  const issue = (): Promise<string> => tickets.issue({ userId: alice.id, tokenId }, 30_000);
  return { ...served, urls, issue };
}

it.each(modes)('a ticket opens one channel over a real socket, and the second is refused (%s)', async (mode) => {
  const { port, urls, issue } = await serveTickets(mode);
  const path = `/chat?room=1&ticket=${await issue()}`;
  const first = await WsClient.connect(port, { path });
  expect(await first.next()).toBe('alice');
  const second = await WsClient.connect(port, { path });
  if (mode === 'handleUpgrades') expect(second.refused?.status).toBe(401);
  else expect(await second.closed()).toEqual({ code: 3000, reason: 'authentication required' });
  first.send('hello');
  await expect.poll(() => urls).toEqual(['/chat?room=1&ticket=***']);
});

it('of fifty handshakes at once with one ticket, one is answered', async () => {
  const { port, channels, issue } = await serveTickets('handleUpgrades');
  const path = `/?ticket=${await issue()}`;
  const clients = await Promise.all(Array.from({ length: 50 }, () => WsClient.connect(port, { path })));
  expect(clients.filter(({ refused }) => refused === undefined)).toHaveLength(1);
  expect(clients.filter(({ refused }) => refused?.status === 401)).toHaveLength(49);
  expect(channels.channels.size).toBe(1);
});

it('a ticket in a subprotocol is not echoed', async () => {
  const { port, issue } = await serveTickets('handleUpgrades', ticket(subprotocol('ticket.')));
  const client = await WsClient.connect(port, { protocols: ['chat', `ticket.${await issue()}`] });
  expect(await client.next()).toBe('alice');
  expect(client.socket.protocol).toBe('chat');
});
