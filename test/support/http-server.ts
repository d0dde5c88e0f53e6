import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

const listening = new Set<Server>();

afterEach(() => {
  // not waited for: upgraded connections, which it waits for, end with their clients
  for (const server of listening) server.close();
  listening.clear();
});

/** An HTTP server on a port of its own, until the test ends. */
export async function listen(server: Server = createServer()): Promise<{ readonly server: Server; readonly port: number }> {
  listening.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
