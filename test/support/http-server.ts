import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** `server`, or one of HTTP, on a port of its own until the test ends. */
export async function listen(): Promise<{ readonly server: Server; readonly port: number }>;
export async function listen<Given extends NetServer>(server: Given): Promise<{ readonly server: Given; readonly port: number }>;
export async function listen(server: NetServer = createServer()): Promise<{ readonly server: NetServer; readonly port: number }> {
  onTestFinished(() => void server.close()); // not waited for: upgraded connections, which it waits for, end with their clients
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
