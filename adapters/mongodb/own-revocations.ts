import type { Db } from 'mongodb';
import { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { foundOrMade } from '../../src/found-or-made.js';

const feeds = new WeakMap<object, Map<string, MemoryRevocationFeed>>();

/**
 * The feed of what this process ends in one collection: one for all repositories over the same client, so that each knows of what another
 * has revoked.
 */
export function ownRevocations(db: Db, collection: string): MemoryRevocationFeed {
  const ofClient = foundOrMade(feeds, db.client, () => new Map());
  return foundOrMade(ofClient, `${db.databaseName}.${collection}`, () => new MemoryRevocationFeed());
}
