import { ObjectId } from 'mongodb';
import { describe, it } from 'vitest';
import { MongoSessionStore, MongoTicketStore, MongoTokenRepository, MongoUserRepository } from '../../../entries/mongodb.js';
import {
  sessionStoreContract,
  TestClock,
  type TokenIssuerFixture,
  ticketStoreContract,
  tokenIssuerContract,
  tokenRepositoryContract,
  userRepositoryContract,
} from '../../../entries/testing.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('on MongoDB', () => {
  const { db } = openDatabase();
  const users = db.collection('users');

  const keys = {
    'user ids are ObjectIds': () => new ObjectId(),
    'user ids are strings': () => `user-${new ObjectId().toHexString()}`,
  };

  for (const [kind, newKey] of Object.entries(keys)) {
    const fixture = (): TokenIssuerFixture => {
      const tokens = new MongoTokenRepository<AuthenticatedUser>(db);
      return {
        tokens,
        issuer: tokens,
        addUser: async () => String((await users.insertOne({ _id: newKey() as ObjectId })).insertedId),
        removeUser: async (id) => void (await users.deleteOne({ _id: (ObjectId.isValid(id) ? new ObjectId(id) : id) as ObjectId })),
        addToken: ({ key: _key, id, ...token }) => db.collection<{ _id: string }>('tokens').insertOne({ _id: id, ...token }),
      };
    };

    describe(`MongoTokenRepository, where ${kind}`, () => {
      for (const { name, run } of tokenRepositoryContract({ create: fixture })) it(name, run);
      for (const { name, run } of tokenIssuerContract({ create: fixture })) it(name, run);
    });

    describe(`MongoUserRepository, where ${kind}`, () => {
      const create = () => ({ ...fixture(), users: new MongoUserRepository<AuthenticatedUser>(db) });
      for (const { name, run } of userRepositoryContract({ create })) it(name, run);
    });
  }

  describe('MongoTicketStore', () => {
    const create = () => {
      const clock = new TestClock(Date.now());
      return { tickets: new MongoTicketStore(db, { clock }), advance: (ms: number) => clock.advance(ms) };
    };
    for (const { name, run } of ticketStoreContract({ create })) it(name, run);
  });

  describe('MongoSessionStore', () => {
    for (const { name, run } of sessionStoreContract({ create: () => new MongoSessionStore(db) })) it(name, run);
  });
});
