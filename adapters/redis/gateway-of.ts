import { checkOption, type Rule } from '../../src/checked-options.js';
import { IoredisGateway } from './ioredis-gateway.js';
import { NodeRedisGateway } from './node-redis-gateway.js';
import type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client.js';
import type { RedisGateway } from './redis-gateway.js';

/** A client of one of the two packages. */
export const aRedisClient: Rule = {
  must: 'a Redis or Cluster of ioredis, or what createClient or createCluster of redis gives',
  accepts: (value) => isIoredis(value) || isNodeRedis(value),
};

/** @throws {TypeError} unless `client` is a client of one of the two packages. */
export function gatewayOf(owner: string, client: RedisClient): RedisGateway {
  checkOption(owner, 'client', client, aRedisClient);
  return isIoredis(client) ? new IoredisGateway(client) : new NodeRedisGateway(client);
}

function isIoredis(client: unknown): client is IoredisClient {
  return hasMethods(client, 'call', 'duplicate', 'disconnect') && typeof Reflect.get(client, 'status') === 'string';
}

/**
 * Pools and sentinels of the package are no such clients: their commands take other ways. Clusters of version 5 do not tell whether they
 * are ready.
 */
function isNodeRedis(client: unknown): client is NodeRedisClient {
  return (
    hasMethods(client, 'sendCommand', 'duplicate', 'destroy', 'sSubscribe') &&
    typeof Reflect.get(client, 'isOpen') === 'boolean' &&
    (typeof Reflect.get(client, 'isReady') === 'boolean' || 'masters' in client) &&
    !hasMethods(client, 'acquire') &&
    !hasMethods(client, 'execute')
  );
}

function hasMethods(client: unknown, ...names: readonly string[]): client is object {
  return typeof client === 'object' && client !== null && names.every((name) => typeof Reflect.get(client, name) === 'function');
}
