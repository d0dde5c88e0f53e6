import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An HTTP server on a port of its own, until the test ends. */
export async function listen(server: Server = createServer()): Promise<{ readonly server: Server; readonly port: number }> {
  onTestFinished(() => void server.close()); // not waited for: upgraded connections, which it waits for, end with their clients
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
