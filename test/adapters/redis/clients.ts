import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import type { RedisClient } from '../../../entries/redis.js';

/** A client of either package, connected, whose errors are nobody's business. */
export interface TestClient extends AsyncDisposable {
  readonly client: RedisClient;
}

/** How a client of each package is made; what is special to RESP 2 is tried with the older protocol, too. */
export const clients: Readonly<Record<string, (port: number) => Promise<TestClient>>> = {
  ioredis: async (port) => {
    const client = new Redis({ host: '127.0.0.1', port, keyPrefix: 'app:', retryStrategy: () => 20 });
    client.on('error', () => undefined);
    return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
  },
  redis: async (port) => {
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 } });
    client.on('error', () => undefined);
    await client.connect();
    return { client, [Symbol.asyncDispose]: async () => client.destroy() };
  },
  'redis with RESP 2': async (port) => {
    const client = createClient({ RESP: 2, socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 } });
    client.on('error', () => undefined);
    await client.connect();
    return { client, [Symbol.asyncDispose]: async () => client.destroy() };
  },
};

/** The same for a cluster. */
export const clusterClients: Readonly<Record<string, (port: number) => Promise<TestClient>>> = {
  ioredis: async (port) => {
    const client = new Cluster([{ host: '127.0.0.1', port }]);
    client.on('error', () => undefined);
    return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
  },
  redis: async (port) => {
    const client = createCluster({ rootNodes: [{ socket: { host: '127.0.0.1', port } }] });
    client.on('error', () => undefined);
    await client.connect();
    return { client, [Symbol.asyncDispose]: async () => client.destroy() };
  },
};
