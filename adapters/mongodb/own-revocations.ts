import type { Db } from 'mongodb';
import { MemoryRevocationFeed } from '../../src/memory-revocation-feed.js';

const feeds = new WeakMap<object, Map<string, MemoryRevocationFeed>>();

/**
 * The feed of what this process ends in one collection: one for all repositories over the same client, so that each knows of what another
 * has revoked.
 */
export function ownRevocations(db: Db, collection: string): MemoryRevocationFeed {
  const ofClient = feeds.get(db.client) ?? new Map<string, MemoryRevocationFeed>();
  feeds.set(db.client, ofClient);
  const namespace = `${db.databaseName}.${collection}`;
  const feed = ofClient.get(namespace) ?? new MemoryRevocationFeed();
  ofClient.set(namespace, feed);
  return feed;
}
