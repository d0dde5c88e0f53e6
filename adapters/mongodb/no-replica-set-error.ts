/**
 * Thrown by `subscribe` of `MongoRevocationFeed` and `MongoBroadcaster` when MongoDB is not a replica set, and so has no change streams.
 */
export class NoReplicaSetError extends Error {
  readonly code = 'ERR_NO_REPLICA_SET';

  /** @param without what is done without change streams: it completes the sentence. */
  constructor(owner: string, without: string, cause: unknown) {
    super(`${owner}: MongoDB has change streams only as a replica set (one node is enough); without it, ${without}.`, { cause });
    this.name = 'NoReplicaSetError';
  }
}
