/** A client of `ioredis`: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  call(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  duplicate(): object;
}

/** A client of `redis`, as `createClient` or `createCluster` make it. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Clusters of version 5 have none. */
  readonly isReady?: boolean | undefined;
  sendCommand(...args: never[]): Promise<unknown>;
  duplicate(): object;
}

/** A client of Redis or Valkey, of whichever of the two packages the application has. It opens and closes it. */
export type RedisClient = IoredisClient | NodeRedisClient;
